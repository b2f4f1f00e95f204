// SPDX-License-Identifier: MIT
// HTTP over the real socket, with a daemon that is none.
#include "daemon/control/control_service.h"

#include "daemon/base/json_value.h"
#include "daemon/base/text.h"
#include "tests/unit/commands/control_client.h"
#include "tests/unit/control/control_rig.h"

using namespace hikyaku;
using namespace hikyaku::test;
using namespace hikyaku::control;
using test::body_of;
using test::connect_to;
using test::read_all;

namespace {

struct ServiceRig : ControlRig {
  ServiceRig() : ControlRig({.request = std::chrono::milliseconds(500)}) {}

  std::string ask(std::string_view request) const {
    Fd client = connect_to(path);
    ::send(client.get(), request.data(), request.size(), MSG_NOSIGNAL);
    ::shutdown(client.get(), SHUT_WR);
    return read_all(client);
  }
  std::string get(std::string_view target, std::string_view version = "1.1") const {
    return ask(cat("GET ", target, " HTTP/", version, "\r\nHost: x\r\n\r\n"));
  }
  bool still_answers() const { return get("/v1/status").starts_with("HTTP/1.1 200 "); }
};

int status_of(const std::string& answer) {
  if (!answer.starts_with("HTTP/1.1 ")) return 0;
  return std::stoi(answer.substr(9, 3));
}

// RFC 9112 7.1.
std::string unchunked(std::string_view body) {
  std::string text;
  for (;;) {
    std::size_t end = body.find("\r\n");
    REQUIRE(end != body.npos);
    std::size_t length = std::stoul(std::string(body.substr(0, end)), nullptr, 16);
    body.remove_prefix(end + 2);
    if (length == 0) return text;
    text += body.substr(0, length);
    body.remove_prefix(length + 2);
  }
}

}  // namespace

TEST_CASE("control service: a list comes in chunks to HTTP/1.1, and plainly to HTTP/1.0") {
  ServiceRig rig;
  for (int i = 0; i < 520; ++i) rig.accept("x", "a@example.com", "b@example.com");
  std::string modern = rig.get("/v1/queue?format=postfix");
  CHECK(status_of(modern) == 200);
  CHECK(modern.find("Transfer-Encoding: chunked\r\n") != std::string::npos);
  std::string plain = rig.get("/v1/queue?format=postfix", "1.0");
  CHECK(status_of(plain) == 200);
  CHECK(plain.find("Transfer-Encoding") == std::string::npos);
  CHECK(body_of(plain).ends_with("\n-- 0 Kbytes in 520 Requests.\n"));
  CHECK(unchunked(body_of(modern)) == body_of(plain));
}

TEST_CASE("control service: parameters are decoded, and one of a kind is enough") {
  ServiceRig rig;
  auto one = rig.accept("x", "a+b@example.com", "c@example.com");
  rig.accept("x", "d@example.com", "c@example.com");
  for (const char* target : {"/v1/queue?from=a%2Bb%40example.com", "/v1/queue?from=a%2bb@*&limit=1",
                             "/v1/%71ueue?from=a*", "/v1/queue?from=%61%2a&from=d*"}) {
    auto json = parse_json(body_of(rig.get(target)));
    REQUIRE(json);
    REQUIRE(json->find("mails")->list()->size() == 1);
    CHECK(*json->find("mails")->list()->at(0).find("id")->text() == to_text(one));
  }
}

TEST_CASE("control service: a body goes with its length, and what is asked for is done") {
  ServiceRig rig;
  std::string body = R"({"all":true})";
  std::string head = "POST /v1/queue/retry HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n";
  std::string answer = rig.ask(cat(head, "Content-Length: 12\r\n\r\n", body));
  CHECK(status_of(answer) == 200);
  CHECK(body_of(answer) == "{\"retried\":7}\n");
  CHECK(answer.find("Connection: close\r\n") != std::string::npos);
  std::string expecting = rig.ask(cat(head, "Expect: 100-continue\r\nContent-Length: 12\r\n\r\n", body));
  CHECK(expecting.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"));
  CHECK(status_of(rig.ask("POST /v1/reload HTTP/1.0\r\n\r\n")) == 200);
  std::string two = rig.get("/v1/status HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/status");
  CHECK(two.find("HTTP/1.1 200", 5) == std::string::npos);  // one request a connection
}

TEST_CASE("control service: a refusal is a whole answer, with the reason as JSON") {
  ServiceRig rig;
  CHECK(rig.ask("HEAD / HTTP/1.1\r\n\r\n") ==
        "HTTP/1.1 405 Method Not Allowed\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
        "Connection: close\r\nContent-Length: 49\r\n\r\n{\"error\":\"only GET, POST and PUT are "
        "supported\"}\n");
}

TEST_CASE("control service: hostile requests are refused, and nothing else happens") {
  ServiceRig rig;
  struct Case {
    std::string request;
    int status;
  };
  std::string ranges = "Range: bytes=0-";
  while (ranges.size() < 8000) ranges += "1,2-";
  const Case cases[] = {
      {"", 0},
      {"\r\n\r\n", 400},
      {std::string(100'000, 'a'), 431},
      {std::string(8192, '\0'), 431},
      {"GET / HTTP/1.1\r\nA: " + std::string(9000, 'a') + "\r\n\r\n", 431},
      {"GET /v1/queue?" + std::string(3000, 'a') + " HTTP/1.1\r\n\r\n", 414},
      {"GET /" + std::string(2000, 'a') + " HTTP/1.1\r\n\r\n", 404},
      {"POST /" + std::string(2000, 'a') + " HTTP/1.1\r\n\r\n", 404},
      {"GET /" + std::string(660, '%') + " HTTP/1.1\r\n\r\n", 404},
      {"GET /v1/queue?%00=%ff HTTP/1.1\r\n\r\n", 400},
      {"GET /v1/mails/..%2f..%2fetc%2fpasswd/outcome HTTP/1.1\r\n\r\n", 400},
      {"GET /../../etc/passwd HTTP/1.1\r\n\r\n", 404},
      {"GET /v1/status HTTP/1.1\r\n" + ranges + "\r\n\r\n", 200},
      {"POST /v1/queue/retry HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400},
      {"POST /v1/queue/retry HTTP/1.1\r\nContent-Length: 4294967295\r\n\r\nx", 413},
      {"POST /v1/queue/retry HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf", 400},
      {"POST /v1/queue/retry HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", 411},
      {"POST /v1/queue/retry HTTP/1.1\r\nContent-Length: 300\r\n\r\n" + std::string(300, '['), 400},
      {"POST /v1/queue/retry HTTP/1.1\r\nContent-Length: 1048576\r\n\r\n" + std::string(1 << 20, '['), 400},
      {"POST /v1/queue/retry HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x\r\n"
       "Content-Length: 5\r\n\r\n--x--",
       400},
      {"DELETE /v1/queue HTTP/1.1\r\n\r\n", 405},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
      {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 0},
      {"EHLO x\r\nMAIL FROM:<a@b>\r\n\r\n", 400},
  };
  for (const Case& one : cases) {
    CAPTURE(printable(one.request, 100));
    std::string answer = rig.ask(one.request);
    CHECK(status_of(answer) == one.status);
    if (one.status >= 400) {
      auto json = parse_json(body_of(answer));
      REQUIRE(json);
      CHECK(json->find("error") != nullptr);
    }
    CHECK(rig.still_answers());
  }
  CHECK(rig.daemon.retried.empty());
}

TEST_CASE("control service: who hangs up, or never finishes, costs nobody else anything") {
  ServiceRig rig;
  for (int i = 0; i < 100; ++i) rig.accept("x", "a@example.com", "b@example.com");
  std::vector<Fd> dawdlers;
  for (int i = 0; i < 8; ++i) {
    dawdlers.push_back(connect_to(rig.path));
    test::say(dawdlers.back(), "POST /v1/queue/retry HTTP/1.1\r\nContent-Length: 12\r\n\r\n{\"al");
  }
  for (int i = 0; i < 50; ++i) {
    Fd gone = connect_to(rig.path);
    std::string_view request = "GET /v1/queue?format=lines HTTP/1.1\r\n\r\n";
    ::send(gone.get(), request.data(), request.size(), MSG_NOSIGNAL);
  }
  while (!rig.still_answers()) continue;
  for (const Fd& dawdler : dawdlers) CHECK(status_of(read_all(dawdler)) == 400);
  CHECK(rig.daemon.retried.empty());
}

TEST_CASE("control service: who asks for an outcome and leaves is not waited for") {
  ServiceRig rig;
  relay::MailOutcome outcome;
  outcome.recipients.push_back({"a@example.com", {}});
  rig.daemon.outcomes = {outcome};
  Fd leaves = connect_to(rig.path);
  test::say(leaves, "GET /v1/mails/001k0ts4wbcfh/outcome?wait=300 HTTP/1.1\r\n\r\n");
  leaves.reset();
  rig.service->stop(std::chrono::hours(1));
  CHECK_FALSE(connect_to(rig.path));
  auto socket = open_control_socket(rig.path, {"no such group", "no such group"});
  ControlOptions options{.path = rig.path, .spool_directory = rig.directory(), .group = "adm"};
  rig.service = std::make_unique<ControlService>(std::move(options), std::move(socket->listening), rig.daemon,
                                                 rig.real);
}
