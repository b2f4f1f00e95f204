// SPDX-License-Identifier: MIT
#include "daemon/io/hashes.h"

#include <doctest/doctest.h>

using namespace hikyaku;

TEST_CASE("io: the slow hash is PBKDF2 with HMAC-SHA-512, as another implementation computes it") {
  // Python: hashlib.pbkdf2_hmac("sha512", b"me\nsecret", SALT, 210000, 32).hex()
  CHECK(io::slow_hash("me\nsecret", "0123456789abcdef") ==
        "bad579379db9caf4b1e9f04887c598c80b6649529fd241af4d3dec3bed4f570f");
  CHECK(io::slow_hash("me\nsecret", "0123456789abcdeg") ==
        "34f1d20f96ebba75f020d2acabfe1fae66d8b3dd8261e4d8fe56af68fdf67aa3");
}

TEST_CASE(
    "io: HMAC-MD5 with short, long and empty keys, of RFC 2202 and as another implementation computes it") {
  CHECK(io::hmac_md5("Jefe", "what do ya want for nothing?") == "750c783e6ab0b503eaa86e310a5db738");
  CHECK(io::hmac_md5(std::string(80, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First") ==
        "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd");
  // Python: hmac.new(b"", b"", "md5").hexdigest()
  CHECK(io::hmac_md5("", "") == "74e6f7298a9c2d168935f58c001bad88");
}
