// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <fcntl.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <set>

#include "daemon/base/base64.h"
#include "daemon/base/bytes.h"
#include "daemon/base/checksum.h"
#include "daemon/base/clock.h"
#include "daemon/base/error.h"
#include "daemon/base/fd.h"
#include "daemon/base/ip.h"
#include "daemon/base/random.h"
#include "daemon/base/secret.h"

using namespace hikyaku;

TEST_CASE("base64: RFC 4648's own examples, both ways") {
  const std::pair<const char*, const char*> rows[] = {{"", ""},
                                                      {"f", "Zg=="},
                                                      {"fo", "Zm8="},
                                                      {"foo", "Zm9v"},
                                                      {"foob", "Zm9vYg=="},
                                                      {"fooba", "Zm9vYmE="},
                                                      {"foobar", "Zm9vYmFy"}};
  for (auto [plain, coded] : rows) {
    CHECK(to_base64(plain) == coded);
    CHECK(from_base64(coded) == plain);
  }
}

TEST_CASE("base64: every byte survives, and what is no base64 is refused") {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  CHECK(from_base64(to_base64(all)) == all);
  for (const char* bad : {"Z", "Zg", "Zg=", "Z===", "Zg==Zg==", "Zh==", "Zm9=", "Zm 9", "Zm9v\n"})
    CHECK_MESSAGE(!from_base64(bad), bad);
}

TEST_CASE("bytes: sizes and durations have units and do not overflow") {
  CHECK(parse_size("64KiB") == ByteSize{65536});
  CHECK(parse_size("0") == ByteSize{0});
  CHECK(parse_duration("500ms") == Duration(500ms));
  CHECK(parse_duration("5d") == Duration(120h));
  for (const char* bad :
       {"", "64", "KiB", "64kb", "-1KiB", "1.5MiB", "99999999999GiB", "18446744073709551616B"})
    CHECK_MESSAGE(!parse_size(bad), bad);
  for (const char* bad : {"", "5", "m", "5 m", "5w", "-5s", "99999999999999d"})
    CHECK_MESSAGE(!parse_duration(bad), bad);
  CHECK(to_text(64_KiB) == "64KiB");
  CHECK(to_text(ByteSize{1536}) == "1536B");
}

TEST_CASE("checksum: pieces give the same as the whole, another seed another sum") {
  Checksum pieces(7);
  pieces.update("hello ");
  pieces.update("world");
  CHECK(pieces.digest() == checksum("hello world", 7));
  CHECK(pieces.digest() != checksum("hello world", 8));
}

TEST_CASE("clock: times read as RFC 3339 and RFC 5322 want them, whatever the locale") {
  ::setenv("TZ", "Asia/Tokyo", 1);
  ::tzset();
  WallTime time{std::chrono::seconds(1'795'317'244)};
  CHECK(to_rfc3339(time) == "2026-11-22T03:14:04Z");
  CHECK(parse_rfc3339("2026-11-22T03:14:04Z") == std::chrono::floor<std::chrono::seconds>(time));
  for (const char* odd : {"", "2026-11-22", "2026-11-22T03:14:04", "2026-11-22T03:14:04Z ", "now"})
    CHECK_FALSE(parse_rfc3339(odd));
  CHECK(to_rfc5322_date(time) == "Sun, 22 Nov 2026 12:14:04 +0900");
  ::unsetenv("TZ");
  ::tzset();
}

TEST_CASE("clock: durations for people") {
  CHECK(to_text(Duration(3400ms)) == "3.4s");
  CHECK(to_text(Duration(12min)) == "12m");
  CHECK(to_text(Duration(90s)) == "1m30s");
  CHECK(to_text(Duration(4h + 30min)) == "4h30m");
  CHECK(to_text(Duration(120h)) == "5d");
}

TEST_CASE("clock: a manual clock jumps only if it may") {
  ManualClock jumping(true), standing(false);
  CHECK(jumping.jump_to(jumping.now() + 1h));
  CHECK_FALSE(standing.jump_to(standing.now() + 1h));
  Instant before = standing.now();
  standing.set_wall(WallTime{});
  CHECK(standing.now() == before);
}

TEST_CASE("ip: addresses, with IPv4 in IPv6's clothes undressed") {
  CHECK(IpAddress::parse("127.0.0.1")->is_loopback());
  CHECK(IpAddress::parse("::1")->is_loopback());
  CHECK(IpAddress::parse("::ffff:10.0.0.1")->to_text() == "10.0.0.1");
  CHECK(IpAddress::parse("::")->is_unspecified());
  for (const char* bad : {"", "1.2.3", "1.2.3.4.5", "[::1]", "::1%lo", "localhost", "1.2.3.4 "})
    CHECK_MESSAGE(!IpAddress::parse(bad), bad);
}

TEST_CASE("ip: a network contains what its prefix says") {
  auto net = Network::parse("10.1.0.0/12");
  CHECK(net->contains(*IpAddress::parse("10.15.255.255")));
  CHECK_FALSE(net->contains(*IpAddress::parse("10.16.0.0")));
  CHECK_FALSE(net->contains(*IpAddress::parse("::1")));
  CHECK(Network::parse("0.0.0.0/0")->contains(*IpAddress::parse("192.0.2.1")));
  CHECK(Network::parse("192.0.2.1")->to_text() == "192.0.2.1/32");
  for (const char* bad : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "::/129"})
    CHECK_MESSAGE(!Network::parse(bad), bad);
}

TEST_CASE("ip: an endpoint is an address and a port") {
  CHECK(Endpoint::parse("[::1]:25")->to_text() == "[::1]:25");
  CHECK(Endpoint::parse("127.0.0.1:2525")->port == 2525);
  for (const char* bad :
       {"::1:25", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "[127.0.0.1]:25", "localhost:25"})
    CHECK_MESSAGE(!Endpoint::parse(bad), bad);
  auto storage = Endpoint::parse("[2001:db8::1]:587")->to_sockaddr();
  CHECK(Endpoint::from_sockaddr(reinterpret_cast<sockaddr*>(&storage)) ==
        Endpoint::parse("[2001:db8::1]:587"));
}

TEST_CASE("random: tokens differ, fractions lie in [0, 1)") {
  std::set<std::string> tokens;
  for (int i = 0; i < 100; ++i) tokens.insert(random_token(16));
  CHECK(tokens.size() == 100);
  double fraction = random_fraction();
  CHECK((fraction >= 0 && fraction < 1));
}

TEST_CASE("secret: it moves without leaving a copy") {
  Secret first("password");
  Secret second = std::move(first);
  CHECK(second.reveal() == "password");
  CHECK(first.empty());  // NOLINT: that is what is tested
}

TEST_CASE("fd: it closes what it owned") {
  int number;
  {
    Fd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    REQUIRE(fd);
    number = fd.get();
  }
  CHECK(::fcntl(number, F_GETFD) == -1);
}

TEST_CASE("error: the system's words for its numbers") {
  CHECK(os_error_text(ENOSPC) == "No space left on device");
}
