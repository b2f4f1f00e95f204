// SPDX-License-Identifier: MIT
#include "daemon/mail/received.h"
#include "doctest/doctest.h"

using namespace hikyaku;
using namespace hikyaku::mail;

namespace {

constexpr WallTime kMade(std::chrono::seconds(1'795'317'244));  // 2026-11-22 03:14:04 UTC

std::string make(std::string_view domain, std::string_view fallback) {
  return make_message_id(kMade, "k3j4h5", domain, fallback);
}

}  // namespace

TEST_CASE("message_id: time, random and domain") {
  CHECK(make("example.com", "app1.example.com") == "<20261122031404.k3j4h5@example.com>");
}

TEST_CASE("message_id: localhost and its like give way to the fallback") {
  for (auto domain : {"", "localhost", "LocalHost", "localhost.localdomain", "app.localdomain", "x.localhost",
                      "a b", "x>\r\nBcc: e", "[127.0.0.1]"}) {
    CAPTURE(domain);
    CHECK(make(domain, "app1.example.com") == "<20261122031404.k3j4h5@app1.example.com>");
  }
}

TEST_CASE("message_id: without any usable domain it still is not localhost") {
  CHECK(make("localhost", "localhost") == "<20261122031404.k3j4h5@hikyaku.invalid>");
  CHECK(make("", "") == "<20261122031404.k3j4h5@hikyaku.invalid>");
}

TEST_CASE("message_id: a name that only looks like localhost is kept") {
  CHECK(make("mylocalhost", "x.example") == "<20261122031404.k3j4h5@mylocalhost>");
}
