// SPDX-License-Identifier: MIT
#include "daemon/sendmail/control.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <thread>

#include "daemon/base/fd.h"
#include "daemon/base/text.h"
#include "daemon/sendmail/errands.h"
#include "doctest/doctest.h"
#include "tests/unit/sendmail/drop_place.h"

using namespace hikyaku;
using namespace hikyaku::sendmail;

namespace {

// A daemon that gives one answer and hangs up; what it was asked.
std::string exchange(std::string_view answer, const HttpRequest& request, Result<void, Failure>& result,
                     std::string& body) {
  test::DropPlace place(0700);
  std::string path = place.path() + "/control.sock";
  Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  REQUIRE(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(listener.get(), 1) == 0);
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
  CHECK(json_value(body, "retried") == "3");
}

TEST_CASE("control: a refusal is the daemon's own words and an exit code") {
  struct Row {
    const char* answer;
    Exit exit;
    const char* text;
  };
  for (const Row& row :
       {Row{"HTTP/1.1 403 Forbidden\r\n\r\n{\"error\": \"not yours\"}", Exit::no_permission, "not yours"},
        Row{"HTTP/1.1 422 X\r\n\r\n{\"error\":\"\\/etc\\/aliases:3: \\u00fc\\n\"}", Exit::bad_data,
            "/etc/aliases:3: \xc3\xbc"},
        Row{"HTTP/1.1 503 X\r\n\r\n", Exit::temporary, "503"},
        Row{"HTTP/1.1 404 X\r\n\r\n<html>", Exit::unavailable, "404"},
        Row{"220 smtp\r\n\r\n", Exit::unavailable, "no HTTP"}, Row{"", Exit::unavailable, "no HTTP"}}) {
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

TEST_CASE("control: values are found in JSON, strings unescaped") {
  CHECK(json_value("{\"a\": \"x\\\"y\\\\\\t\\u0041\", \"b\":12}", "a") == "x\"y\\\tA");
  CHECK(json_value("{\"a\":1,\"b\":12}", "b") == "12");
  CHECK(json_value("{\"a\":1}", "b") == "");
  CHECK(json_value("{\"a\":\"\\ud83d\\ude00\"}", "a") == "??");
  for (const char* cut : {"{\"a\":\"x", "{\"a\":\"x\\", "{\"a\":\"\\u00", "{\"a\":", "{\"a\""})
    CHECK(json_value(cut, "a").size() < 4);
  CHECK(json_string("a\"b\\\x01") == "\"a\\\"b\\\\\"");
}

TEST_CASE("control: what is to be tried again") {
  CHECK(retry_body({}) == "{\"all\":true}");
  CHECK(retry_body({.ids = {"1A", "2\"B"}, .domain = {}}) == "{\"ids\":[\"1A\",\"2\\\"B\"]}");
  CHECK(retry_body({.ids = {}, .domain = "x.example"}) == "{\"recipient_domain\":\"x.example\"}");
}

TEST_CASE("control: -bv and -bt tell how an address is understood") {
  CHECK(explain_addresses("Al <a@b>, root", "d.example") ==
        "a@b: user a, domain b\nroot: user root, domain d.example\n");
  CHECK(explain_addresses(" ", "d") == "");
  CHECK(explain_addresses("a b", "d").error().kind == Exit::bad_data);
}
