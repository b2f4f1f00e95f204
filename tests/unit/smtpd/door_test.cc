// SPDX-License-Identifier: MIT
// Addresses at which clients are served in a way of their own (smtpd::Door), and proxies in front of them.
#include "doctest/doctest.h"
#include "smtpd/acceptor.h"
#include "tests/support/peers/acceptor_rig.h"

using namespace hikyaku;
using namespace hikyaku::smtpd;
using namespace std::string_view_literals;
using test::AcceptorRig;
using test::dial;
using test::first_reply;

namespace {

const Endpoint kDoorAddress = *Endpoint::parse("127.0.0.1:2525");

// At that address proxies in 10.0.0.0/8 say who the client is.
AcceptorOptions with_proxies(const AcceptorRig& rig) {
  AcceptorOptions options = rig.acceptor_options();
  options.doors.push_back({kDoorAddress, options.session, nullptr, {*Network::parse("10.0.0.0/8")}});
  return options;
}

// PROXY, version 2: TCP over IPv4, from port 4000 there.
std::string proxy_header(std::string_view source) {
  std::string header("\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0C"sv);
  return header.append(source).append("\x0A\x00\x00\x01\x0F\xA0\x00\x19"sv);
}

}  // namespace

TEST_CASE("door: a door serves those who come in at its address, and nobody else") {
  AcceptorRig rig;
  AcceptorOptions options = rig.acceptor_options();
  const Endpoint at = *Endpoint::parse("127.0.0.1:587");
  SessionOptions its = rig.options;
  its.auth.emplace().needs_tls = false;
  options.doors.push_back({at, std::make_shared<const SessionOptions>(its), nullptr});
  Acceptor acceptor(rig.loop, rig.sink, rig.observer, options);
  auto keywords = [](AcceptorRig& r, Acceptor& a, std::optional<Endpoint> where) -> Task<std::string> {
    test::TestClient client = dial(r, a, "127.0.0.1:4001", where);
    co_await client.send("EHLO a\r\nQUIT\r\n");
    std::string replies = co_await client.rest();
    co_return replies;
  };
  auto test = [&](AcceptorRig& r, Acceptor& a) -> Task<void> {
    std::string there = co_await keywords(r, a, at);
    CHECK(there.find("AUTH PLAIN") != there.npos);
    for (std::optional<Endpoint> other : {std::optional<Endpoint>(), Endpoint::parse("127.0.0.1:25")}) {
      std::string elsewhere = co_await keywords(r, a, other);
      CHECK(elsewhere.find("250 DSN") != elsewhere.npos);
      CHECK(elsewhere.find("AUTH") == elsewhere.npos);
    }
    co_await a.stop(1s);
  };
  rig.loop.run(test(rig, acceptor));
}

TEST_CASE("door: a proxy says who the client is, and only the client counts") {
  AcceptorRig rig;
  Acceptor acceptor(rig.loop, rig.sink, rig.observer, with_proxies(rig));
  auto said = [](AcceptorRig& r, Acceptor& a, const char* from, std::string bytes) -> Task<std::string> {
    test::TestClient client = dial(r, a, from, kDoorAddress);
    co_await client.send(std::move(bytes));
    std::string reply = co_await first_reply(client);
    co_return reply;
  };
  auto test = [&](AcceptorRig& r, Acceptor& a) -> Task<void> {
    std::string known = co_await said(r, a, "10.0.0.9:4000", proxy_header("\xC0\x00\x02\x07"sv));
    CHECK(known == "220 mx.te");
    std::string stranger = co_await said(r, a, "10.0.0.9:4001", proxy_header("\xC6\x33\x64\x07"sv));
    CHECK(stranger == "554 5.7.1");
    std::string ourselves = co_await said(r, a, "10.0.0.9:4002", proxy_header("\x7F\x00\x00\x01"sv));
    CHECK(ourselves == "");
    std::string nobody = co_await said(r, a, "10.0.0.9:4003", "EHLO a client without a header\r\n");
    CHECK(nobody == "");
    std::string direct = co_await said(r, a, "192.0.2.8:4004", "");
    CHECK(direct == "220 mx.te");
    std::string liar = co_await said(r, a, "198.51.100.7:4005", proxy_header("\xC0\x00\x02\x07"sv));
    CHECK(liar == "554 5.7.1");
    co_await a.stop(1s);
  };
  rig.loop.run(test(rig, acceptor));
  CHECK(rig.observer.saw("odd no-proxy-header"));
}

TEST_CASE("door: a PROXY header may come in pieces") {
  AcceptorRig rig;
  Acceptor acceptor(rig.loop, rig.sink, rig.observer, with_proxies(rig));
  auto test = [](AcceptorRig& r, Acceptor& a) -> Task<void> {
    test::TestClient client = dial(r, a, "10.0.0.9:4000", kDoorAddress);
    for (char byte : cat(proxy_header("\xC0\x00\x02\x07"sv), "NOOP\r\nQUIT\r\n")) {
      co_await client.send(std::string(1, byte));
      co_await io::sleep_until(r.loop, r.loop.within(10ms));
    }
    std::string replies = co_await client.rest();
    CHECK(replies.starts_with("220 mx.test"));
    CHECK(replies.find("250 2.0.0") != replies.npos);
    co_await a.stop(1s);
  };
  rig.loop.run(test(rig, acceptor));
  CHECK_FALSE(rig.observer.saw("odd no-proxy-header"));
}

TEST_CASE("door: a proxy that speaks for itself is the client") {
  AcceptorRig rig;
  Acceptor acceptor(rig.loop, rig.sink, rig.observer, with_proxies(rig));
  auto test = [](AcceptorRig& r, Acceptor& a) -> Task<void> {
    test::TestClient check = dial(r, a, "10.0.0.9:4000", kDoorAddress);
    co_await check.send(std::string("\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00"sv));
    std::string refused = co_await first_reply(check);
    CHECK(refused == "554 5.7.1");  // `allow` does not have it
    co_await a.stop(1s);
  };
  rig.loop.run(test(rig, acceptor));
  CHECK(rig.observer.saw("rejected connect 554 5.7.1"));
}

TEST_CASE("door: a proxy that does not come to the point is closed after ten seconds, however it drips") {
  AcceptorRig rig;
  Acceptor acceptor(rig.loop, rig.sink, rig.observer, with_proxies(rig));
  auto test = [](AcceptorRig& r, Acceptor& a) -> Task<void> {
    const Instant begin = r.loop.now();
    test::TestClient silent = dial(r, a, "10.0.0.9:4000", kDoorAddress);
    test::TestClient slow = dial(r, a, "10.0.0.9:4001", kDoorAddress);
    for (char byte : proxy_header("\xC0\x00\x02\x07"sv).substr(0, 9)) {
      bool is_open = co_await slow.send(std::string(1, byte));
      CHECK(is_open);
      co_await io::sleep_until(r.loop, r.loop.within(1s));
    }
    std::string said = co_await silent.rest();
    said += co_await slow.rest();
    CHECK(said == "");
    CHECK(r.loop.now() - begin == 10s);
    co_await a.stop(1s);
  };
  rig.loop.run(test(rig, acceptor));
  CHECK(rig.observer.saw("odd no-proxy-header"));
}

TEST_CASE("door: proxies that name nobody take no client's place, and have a limit of their own") {
  AcceptorRig rig(2);
  Acceptor acceptor(rig.loop, rig.sink, rig.observer, with_proxies(rig));
  auto test = [](AcceptorRig& r, Acceptor& a) -> Task<void> {
    test::TestClient first = dial(r, a, "10.0.0.9:4000", kDoorAddress);
    test::TestClient second = dial(r, a, "10.0.0.9:4001", kDoorAddress);
    test::TestClient third = dial(r, a, "10.0.0.9:4002", kDoorAddress);
    std::string closed = co_await third.rest();
    CHECK(closed == "");
    CHECK(a.counts().turned_away == 1);
    test::TestClient client = dial(r, a, "192.0.2.7:4000", kDoorAddress);
    std::string greeting = co_await first_reply(client);
    CHECK(greeting == "220 mx.te");
    co_await first.send(proxy_header("\xC0\x00\x02\x08"sv));
    std::string introduced = co_await first_reply(first);
    CHECK(introduced == "220 mx.te");
    co_await a.stop(1s);
  };
  rig.loop.run(test(rig, acceptor));
  CHECK_FALSE(rig.observer.saw("odd no-proxy-header"));
}

TEST_CASE("door: a client that a proxy names has its share, and no more") {
  AcceptorRig rig(100, 1);
  Acceptor acceptor(rig.loop, rig.sink, rig.observer, with_proxies(rig));
  auto test = [](AcceptorRig& r, Acceptor& a) -> Task<void> {
    std::string said;
    std::vector<test::TestClient> clients;
    for (std::string_view source : {"\xC0\x00\x02\x07"sv, "\xC0\x00\x02\x07"sv, "\xC0\x00\x02\x08"sv}) {
      clients.push_back(dial(r, a, "10.0.0.9:4000", kDoorAddress));
      co_await clients.back().send(proxy_header(source));
      std::string reply = co_await first_reply(clients.back());
      said += reply.substr(0, 4);
    }
    CHECK(said == "220 421 220 ");
    co_await a.stop(1s);
  };
  rig.loop.run(test(rig, acceptor));
}
