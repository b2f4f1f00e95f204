// SPDX-License-Identifier: MIT
#include "daemon/io/slow_hash.h"

#include <doctest/doctest.h>

using namespace hikyaku;

TEST_CASE("io: the slow hash is PBKDF2 with HMAC-SHA-512, as another implementation computes it") {
  // Python: hashlib.pbkdf2_hmac("sha512", b"me\nsecret", SALT, 210000, 32).hex()
  CHECK(io::slow_hash("me\nsecret", "0123456789abcdef") ==
        "bad579379db9caf4b1e9f04887c598c80b6649529fd241af4d3dec3bed4f570f");
  CHECK(io::slow_hash("me\nsecret", "0123456789abcdeg") ==
        "34f1d20f96ebba75f020d2acabfe1fae66d8b3dd8261e4d8fe56af68fdf67aa3");
}
