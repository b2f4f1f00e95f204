// SPDX-License-Identifier: MIT
#include "daemon/sendmail/control.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <fstream>
#include <thread>

#include "daemon/base/fd.h"
#include "daemon/base/text.h"
#include "daemon/mail/alias_file.h"
#include "daemon/sendmail/daemon_queries.h"
#include "doctest/doctest.h"
#include "tests/unit/sendmail/drop_place.h"

using namespace hikyaku;
using namespace hikyaku::sendmail;

namespace {

Fd listen_at(const std::string& path) {
  Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  REQUIRE(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(listener.get(), 1) == 0);
  return listener;
}

// A daemon that gives one answer and closes the connection. Returns the request.
std::string exchange(std::string_view answer, const HttpRequest& request, Result<void, Failure>& result,
                     std::string& body) {
  test::DropPlace place(0700);
  std::string path = place.path() + "/control.sock";
  Fd listener = listen_at(path);
  std::string asked;
  std::thread daemon([&] {
    Fd peer(::accept(listener.get(), nullptr, nullptr));
    char bytes[4096];
    std::size_t wanted = to_text(request).size();
    while (asked.size() < wanted) {
      ssize_t got = ::read(peer.get(), bytes, sizeof bytes);
      if (got <= 0) break;
      asked.append(bytes, static_cast<std::size_t>(got));
    }
    ::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
  });
  result = ask_daemon(path, request, 5, [&body](std::string_view bytes) { body += bytes; });
  daemon.join();
  return asked;
}

}  // namespace

TEST_CASE("control: a request is HTTP/1.0, and the answer's body is handed on") {
  Result<void, Failure> result;
  std::string body;
  auto asked = exchange("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nMail queue is empty\n",
                        {.target = "/v1/queue?format=postfix", .body = {}}, result, body);
  CHECK(asked == "GET /v1/queue?format=postfix HTTP/1.0\r\nHost: localhost\r\n\r\n");
  CHECK(result.has_value());
  CHECK(body == "Mail queue is empty\n");
}

TEST_CASE("control: what is asked for with a body says how long it is") {
  Result<void, Failure> result;
  std::string body;
  auto asked =
      exchange("HTTP/1.1 200 OK\r\n\r\n{\"retried\":3}",
               {.method = "POST", .target = "/v1/queue/retry", .body = retry_body({})}, result, body);
  CHECK(asked.ends_with("Content-Length: 12\r\n\r\n{\"all\":true}"));
  CHECK(body == "{\"retried\":3}");
}

TEST_CASE("control: a refusal is the daemon's own words and an exit code") {
  struct Row {
    const char* answer;
    Exit exit;
    const char* text;
  };
  for (const Row& row :
       {Row{"HTTP/1.1 403 Forbidden\r\n\r\n{\"error\": \"not yours\"}", Exit::no_permission, "not yours"},
        Row{"HTTP/1.1 422 X\r\n\r\n{\"error\":\"\\/etc\\/aliases:3: \\u00fc\\n\"}", Exit::damaged,
            "/etc/aliases:3: \xc3\xbc"},
        Row{"HTTP/1.1 503 X\r\n\r\n", Exit::try_again, "503"},
        Row{"HTTP/1.1 404 X\r\n\r\n<html>", Exit::unavailable, "404"},
        Row{"220 smtp\r\n\r\n", Exit::unavailable, "not HTTP"}, Row{"", Exit::unavailable, "not HTTP"}}) {
    CAPTURE(row.answer);
    Result<void, Failure> result;
    std::string body;
    exchange(row.answer, {.target = "/", .body = {}}, result, body);
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().kind == row.exit);
    CHECK(result.error().text.find(row.text) != std::string::npos);
    CHECK(result.error().text.find('\n') == std::string::npos);
  }
}

TEST_CASE("control: without a daemon the exit code is 69 and the socket is named") {
  auto result = ask_daemon("/nowhere/control.sock", {.target = "/", .body = {}}, 1, [](auto) {});
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().kind == Exit::unavailable);
  CHECK(result.error().text.find("/nowhere/control.sock") != std::string::npos);
}

TEST_CASE("control: a daemon that is stopped or hangs is noticed, and said as such, with 75") {
  test::DropPlace place(0700);
  std::string path = place.path() + "/control.sock";
  Fd listener = listen_at(path);
  auto alive = check_alive(path, 0);
  REQUIRE_FALSE(alive.has_value());
  CHECK(alive.error().kind == Exit::try_again);
  CHECK(alive.error().text == "hikyakud does not respond on " + path + "; try again later");
}

TEST_CASE("control: foreign bytes of a reply or a reason are escaped once, those of an address too") {
  CHECK(outcome_line(R"({"address":"a@b","status":"failed","last_reply":"550 no \\x0d \\u{202e} \\\\"})") ==
        "a@b: failed, 550 no \\x0d \\u{202e} \\\\\n");
  CHECK(outcome_line(R"({"waits_for":"smarthost","reason":"refused: 535 no \\x1b[2J"})") ==
        "waits for the smarthost: refused: 535 no \\x1b[2J\n");
  CHECK(outcome_line(R"({"address":"a\u000db@c","status":"failed","last_reply":"550 \u001b"})") ==
        "a\\x0db@c: failed, 550 \\x1b\n");
  CHECK(outcome_line(R"({"address":"\"a\\\\b\"@c","status":"pending"})") == "\"a\\\\\\\\b\"@c: pending\n");
}

TEST_CASE("control: an outcome is told in words, and nothing of it reaches the terminal raw") {
  CHECK(outcome_line("{\"address\":\"a@b\",\"status\":\"delivered\",\"last_reply\":\"250 Ok\"}") ==
        "a@b: delivered, 250 Ok\n");
  CHECK(outcome_line("{\"address\":\"a@b\",\"status\":\"pending\",\"last_reply\":null}") == "a@b: pending\n");
  CHECK(outcome_line("{\"address\":\"a\\u001b@b\",\"status\":\"failed\"}").find('\x1b') == std::string::npos);
  CHECK(
      outcome_line("{\"waits_for\":\"smarthost\",\"waits_since\":\"2026-09-21T14:12:20Z\",\"next_attempt\":"
                   "\"2026-09-21T14:17:20Z\",\"reason\":\"the smarthost refuses hikyaku's log-in\"}") ==
      "waits for the smarthost since 2026-09-21T14:12:20Z, next attempt 2026-09-21T14:17:20Z: the smarthost "
      "refuses hikyaku's log-in\n");
  CHECK(outcome_line("non\x1bsense") == "non\\x1bsense\n");
}

TEST_CASE("control: without a daemon newaliases checks the file by itself") {
  test::DropPlace place(0700);
  DaemonInfo info;
  info.control_socket = place.path() + "/nobody.sock";
  info.aliases = place.path() + "/aliases";
  CHECK(check_aliases(info).error().kind == Exit::no_input);
  std::ofstream(info.aliases) << "root: admin@example.com\n";
  CHECK(check_aliases(info).has_value());
  std::ofstream(info.aliases) << "root: admin@example.com\nx: |/bin/sh\ny: |/bin/sh\n";
  auto wrong = check_aliases(info);
  REQUIRE_FALSE(wrong.has_value());
  CHECK(wrong.error().kind == Exit::damaged);
  CHECK(wrong.error().text.find("aliases:2: ") != std::string::npos);
  CHECK(wrong.error().text.find("(and 1 more)") != std::string::npos);
}

TEST_CASE("control: what is to be tried again") {
  CHECK(retry_body({}) == "{\"all\":true}");
  CHECK(retry_body({.ids = {"1A", "2\"B"}, .domain = {}}) == "{\"ids\":[\"1A\",\"2\\\"B\"]}");
  CHECK(retry_body({.ids = {}, .domain = "x.example"}) == "{\"recipient_domain\":\"x.example\"}");
}

TEST_CASE("control: -bv and -bt tell how an address is understood, and whom an alias means in the end") {
  mail::AliasRules rules{{}, "d.example", "h.example"};
  auto is_user = [](const std::string& name) { return name == "anna"; };
  CHECK(explain_addresses("Al <a@b>, root", rules, is_user) ==
        "a@b: user a, domain b\nroot: user root, domain d.example\n");
  CHECK(explain_addresses(" ", rules, is_user) == "");
  CHECK(explain_addresses("a b", rules, is_user).error().kind == Exit::damaged);
  rules.aliases =
      mail::parse_aliases("root: me@example.com, bob\nbob: bob@example.net\npostmaster: root\n").aliases;
  CHECK(explain_addresses("postmaster", rules, is_user) ==
        "postmaster -> me@example.com: user me, domain example.com\n"
        "postmaster -> bob@example.net: user bob, domain example.net\n");
  CHECK(explain_addresses("root@h.example", rules, is_user)
            .value()
            .starts_with("root@h.example -> me@example.com: "));
  CHECK(explain_addresses("root@elsewhere.example", rules, is_user) ==
        "root@elsewhere.example: user root, domain elsewhere.example\n");
  rules.local_mail = "ops@example.net";
  CHECK(
      explain_addresses("anna, anna@d.example", rules, is_user) ==
      "anna -> ops@example.net: user ops, domain example.net\nanna@d.example: user anna, domain d.example\n");
}

TEST_CASE("mailq: without a daemon it says that none runs, and what it can know of drop/") {
  test::DropPlace place(01730);
  DaemonInfo info;
  info.control_socket = place.path() + "/nobody.sock";
  info.drop = place.path() + "/drop";
  ::mkdir(info.drop.c_str(), 0700);
  auto said = [&] { return list_queue(info, false).error(); };
  CHECK(said().kind == Exit::unavailable);
  CHECK(said().text.starts_with("hikyakud is not running (" + info.control_socket + ": No such file"));
  CHECK(said().text.ends_with("; 'hikyaku queue', run by root, lists the queue all the same"));
  std::ofstream(info.drop + "/0006524fb0a3c1e2.4711.deadbeef") << "x";
  std::ofstream(info.drop + "/.0006524fb0a3c1e2.4711.deadbeef") << "unfinished";
  CHECK(said().text.ends_with("; 1 mail waits in " + info.drop +
                              " until it is started; 'hikyaku queue' lists the rest of the queue"));
  info.drop = place.path() + "/nothing";
  CHECK(said().text.ends_with("No such file or directory)"));
}
