// SPDX-License-Identifier: MIT
#include "daemon/control/control_head.h"

#include <doctest/doctest.h>

#include <map>

#include "daemon/base/text.h"

using namespace hikyaku;
using namespace hikyaku::control;

namespace {

int refusal_of(const std::string& head) {
  auto parsed = parse_request_head(head);
  return parsed ? 0 : parsed.error().kind;
}

std::string with(const std::string& fields) { return cat("GET / HTTP/1.1\r\n", fields, "\r\n"); }
std::string post_with(const std::string& fields) { return cat("POST / HTTP/1.1\r\n", fields, "\r\n"); }

}  // namespace

TEST_CASE("control: of a head only what means something is understood") {
  auto head = parse_request_head(
      "GET /v1/queue?after=001&limit=2 HTTP/1.1\r\nHost: evil\r\nRange: bytes=0-1\r\nX-Any: thing\r\n"
      "Accept: text/plain\r\naccept:  application/json \r\nAccept-Encoding: gzip, br\r\n"
      "Connection: keep-alive\r\nCookie: \xff\r\n\r\n");
  REQUIRE(head);
  CHECK(head->method == "GET");
  CHECK(head->path == "/v1/queue");
  CHECK(head->parameters == std::map<std::string, std::string>{{"after", "001"}, {"limit", "2"}});
  CHECK(head->accept == "text/plain, application/json");
  CHECK(head->body == 0);
  CHECK(head->is_chunked_known);
  CHECK_FALSE(head->wants_continue);
  auto post = parse_request_head(
      "POST /v1/queue/retry HTTP/1.0\r\nContent-Type: multipart/form-data; boundary=x\r\n"
      "Expect: 100-Continue\r\nContent-Length: 12\r\nAccept: \xc3\xa9\r\n\r\n");
  REQUIRE(post);
  CHECK(post->method == "POST");
  CHECK(post->path == "/v1/queue/retry");
  CHECK(post->accept.empty());
  CHECK(post->body == 12);
  CHECK_FALSE(post->is_chunked_known);
  CHECK(post->wants_continue);
  CHECK(parse_request_head(post_with(""))->body == 0);
}

TEST_CASE("control: paths and parameters are decoded once") {
  using Parameters = std::map<std::string, std::string>;
  struct Case {
    const char* target;
    const char* path;
    Parameters parameters;
  };
  const Case cases[] = {
      {"/", "/", {}},
      {"/?", "/", {}},
      {"/a%2Fb+c", "/a/b+c", {}},
      {"/%2541", "/%41", {}},
      {"/%", "/%", {}},
      {"/%4", "/%4", {}},
      {"/%zz%4", "/%zz%4", {}},
      {"/%41%e9", "/A\xe9", {}},
      {"/x?a=1&b=2%26c&a=3", "/x", {{"a", "1"}, {"b", "2&c"}}},
      {"/x?a+b=c+d%2B", "/x", {{"a b", "c d+"}}},
      {"/x?a&b=&=c&&d=e=f?", "/x", {{"", "c"}, {"a", ""}, {"b", ""}, {"d", "e=f?"}}},
  };
  for (const Case& one : cases) {
    CAPTURE(one.target);
    auto head = parse_request_head(cat("GET ", one.target, " HTTP/1.1\r\n\r\n"));
    REQUIRE(head);
    CHECK(head->path == one.path);
    CHECK(head->parameters == one.parameters);
  }
}

TEST_CASE("control: a head that is odd, or asks for too much, is refused") {
  struct Case {
    std::string head;
    int status;
  };
  std::string many;
  for (std::size_t i = 0; i <= kMaxFields; ++i) many += "A: b\r\n";
  const Case cases[] = {
      {"GET / HTTP/1.1\r\n\r\n", 0},
      {"", 400},
      {"\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\nmore", 400},
      {"GET /\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\n\r\n", 400},
      {"GET / HTTP/1.1 x\r\n\r\n", 400},
      {"GET  / HTTP/1.1\r\n\r\n", 400},
      {" GET / HTTP/1.1\r\n\r\n", 400},
      {"G\tET / HTTP/1.1\r\n\r\n", 400},
      {"GET http://x/ HTTP/1.1\r\n\r\n", 400},
      {"GET * HTTP/1.1\r\n\r\n", 400},
      {"GET /\x01 HTTP/1.1\r\n\r\n", 400},
      {"GET /\xc3\xa9 HTTP/1.1\r\n\r\n", 400},
      {std::string("GET /\0 HTTP/1.1\r\n\r\n", 19), 400},
      {cat("GET /", std::string(kMaxTarget, 'a'), " HTTP/1.1\r\n\r\n"), 414},
      {"DELETE /v1/queue HTTP/1.1\r\n\r\n", 405},
      {"HEAD / HTTP/1.1\r\n\r\n", 405},
      {"CONNECT / HTTP/1.1\r\n\r\n", 405},
      {"get / HTTP/1.1\r\n\r\n", 405},
      {with("no colon\r\n"), 400},
      {with(": empty name\r\n"), 400},
      {with("A : b\r\n"), 400},
      {with("A: b\r\n folded\r\n"), 400},
      {with("A: b\nRange: x\r\n"), 400},
      {with("A: b\rRange: x\r\n"), 400},
      {with("A: \x7f\r\n"), 400},
      {with(std::string("A: \0\r\n", 6)), 400},
      {with(many), 431},
      {std::string(kMaxHead, 'a'), 431},
      {with("Content-Length: 1\r\n"), 400},
      {with("Content-Length: 0\r\n"), 0},
      {with("Transfer-Encoding: chunked\r\n"), 411},
      {post_with("Transfer-Encoding: chunked\r\n"), 411},
      {post_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 411},
      {post_with("Content-Encoding: gzip\r\nContent-Length: 5\r\n"), 415},
      {post_with("Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
      {post_with("Content-Length: 5, 5\r\n"), 400},
      {post_with("Content-Length: -1\r\n"), 400},
      {post_with("Content-Length: +1\r\n"), 400},
      {post_with("Content-Length: 0x10\r\n"), 400},
      {post_with("Content-Length: \r\n"), 400},
      {post_with("Content-Length: 4294967295\r\n"), 413},
      {post_with("Content-Length: 4294967296\r\n"), 413},
      {post_with("Content-Length: 18446744073709551615\r\n"), 413},
      {post_with("Content-Length: 18446744073709551616\r\n"), 400},
      {post_with(cat("Content-Length: ", std::to_string(kMaxBody), "\r\n")), 0},
      {post_with(cat("Content-Length: ", std::to_string(kMaxBody + 1), "\r\n")), 413},
      {post_with("Expect: miracles\r\n"), 417},
  };
  for (const Case& one : cases) {
    CAPTURE(one.head.substr(0, 200));
    CHECK(refusal_of(one.head) == one.status);
  }
}

TEST_CASE("control: where a head ends") {
  CHECK(head_length("") == 0);
  CHECK(head_length("GET / HTTP/1.1\r\n") == 0);
  CHECK(head_length("GET / HTTP/1.1\n\n") == 0);
  CHECK(head_length("GET / HTTP/1.1\r\n\r\nbody\r\n\r\n") == 18);
}
