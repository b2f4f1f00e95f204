// SPDX-License-Identifier: MIT
#include "daemon/io/proxied.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

#include "daemon/base/text.h"
#include "daemon/io/memory_stream.h"

using namespace hikyaku;
using namespace hikyaku::io;
using namespace std::string_view_literals;

namespace {

constexpr std::string_view kMark = "\r\n\r\n\0\r\nQUIT\n"sv;

std::string proxy_bytes(unsigned char command, unsigned char family, std::string_view rest) {
  return cat(kMark,
             std::string{static_cast<char>(command), static_cast<char>(family),
                         static_cast<char>(rest.size() >> 8), static_cast<char>(rest.size() & 255)},
             rest);
}

constexpr std::string_view kFour = "\xC0\x00\x02\x07\x0A\x00\x00\x01\x30\x39\x00\x19"sv;  // 192.0.2.7:12345
constexpr std::string_view kHome = "\x7F\x00\x00\x01\x0A\x00\x00\x01\x30\x39\x00\x19"sv;

std::string six(std::string_view source) { return cat(source, std::string(16, '\1'), "\x30\x39\x00\x19"sv); }

std::string client_in(std::string_view bytes) {
  auto parsed = parse_proxy_header(bytes);
  if (!parsed) return "refused";
  return parsed->client ? parsed->client->to_text() : "the proxy";
}

// The peer after a header, and the first bytes behind it; or the error's text.
Task<std::string> behind_header(Loop& loop, std::string bytes) {
  MemoryPairOptions wire;
  wire.second_address = Endpoint::parse("10.0.0.9:4000");
  MemoryPair pair = make_memory_pair(loop, wire);
  auto written = co_await pair.second->write(bytes, loop.within(10s));
  REQUIRE(written);
  auto finished = co_await pair.second->shut_down(loop.within(10s));
  REQUIRE(finished);
  auto stream = co_await take_proxy_header(std::move(pair.first), loop.within(10s));
  if (!stream) co_return stream.error().text;
  std::array<char, 64> into{};
  auto got = co_await (*stream)->read_some(into, loop.within(10s));
  co_return cat((*stream)->peer()->to_text(), " ", got ? std::string_view(into.data(), *got) : "nothing"sv);
}

}  // namespace

TEST_CASE("io: a PROXY header names the client, IPv4 or IPv6, whatever follows the addresses") {
  CHECK(client_in(proxy_bytes(0x21, 0x11, kFour)) == "192.0.2.7:12345");
  CHECK(client_in(proxy_bytes(0x21, 0x11, cat(kFour, "\x04\x00\x01x"sv))) == "192.0.2.7:12345");
  CHECK(client_in(proxy_bytes(0x21, 0x21, six("\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x01"sv))) ==
        "[2001:db8::1]:12345");
  CHECK(client_in(proxy_bytes(0x21, 0x21, six("\0\0\0\0\0\0\0\0\0\0\xFF\xFF\xC0\0\x02\x07"sv))) ==
        "192.0.2.7:12345");
  CHECK(client_in(proxy_bytes(0x20, 0x00, "")) == "the proxy");
  CHECK(client_in(proxy_bytes(0x20, 0x11, kHome)) == "the proxy");
}

TEST_CASE("io: a PROXY header that is none, or names this machine, is refused") {
  CHECK(client_in(proxy_bytes(0x21, 0x11, kHome)) == "refused");
  CHECK(client_in(proxy_bytes(0x21, 0x21, six("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"sv))) == "refused");
  CHECK(client_in(proxy_bytes(0x21, 0x21, six("\0\0\0\0\0\0\0\0\0\0\xFF\xFF\x7F\0\0\x01"sv))) == "refused");
  CHECK(client_in(proxy_bytes(0x21, 0x11, kFour.substr(1))) == "refused");
  CHECK(client_in(proxy_bytes(0x21, 0x00, "")) == "refused");     // no family
  CHECK(client_in(proxy_bytes(0x21, 0x12, kFour)) == "refused");  // UDP
  CHECK(client_in(proxy_bytes(0x22, 0x11, kFour)) == "refused");
  CHECK(client_in(proxy_bytes(0x11, 0x11, kFour)) == "refused");
  CHECK(client_in("PROXY TCP4 192.0.2.7 10.0.0.1 12345 25\r\n") == "refused");
  CHECK(client_in(proxy_bytes(0x21, 0x11, std::string(5000, 'x'))) == "refused");
  CHECK(client_in(cat(proxy_bytes(0x21, 0x11, kFour), "EHLO")) == "refused");
  CHECK(client_in("") == "refused");
}

TEST_CASE("io: behind a PROXY header the stream is the client's, and nothing of what it says is lost") {
  ManualClock clock;
  Loop loop(clock);
  const std::string good = proxy_bytes(0x21, 0x11, kFour);
  CHECK(loop.run(behind_header(loop, good + "EHLO a\r\n")) == "192.0.2.7:12345 EHLO a\r\n");
  CHECK(loop.run(behind_header(loop, proxy_bytes(0x20, 0, "") + "EHLO a\r\n")) == "10.0.0.9:4000 EHLO a\r\n");
  CHECK(loop.run(behind_header(loop, "EHLO a client without a header\r\n")).find("there is no header") == 0);
  CHECK(loop.run(behind_header(loop, good.substr(0, 20))).find("there is no header") == std::string::npos);
  CHECK(loop.run(behind_header(loop, proxy_bytes(0x21, 0x11, kHome))).find("there is no header") == 0);
}
