// SPDX-License-Identifier: MIT
#include "smtpd/acceptor.h"

#include "daemon/io/socket_stream.h"
#include "doctest/doctest.h"
#include "tests/support/peers/acceptor_rig.h"
#include "tests/support/peers/test_certificates.h"

using namespace hikyaku;
using namespace hikyaku::smtpd;
using test::AcceptorRig;
using test::dial;
using test::first_reply;

TEST_CASE("acceptor: who is not allowed gets 554 instead of a greeting, and the log hears of it") {
  AcceptorRig rig;
  Acceptor acceptor(rig.loop, rig.sink, rig.observer, rig.acceptor_options());
  auto test = [](AcceptorRig& r, Acceptor& a) -> Task<void> {
    test::TestClient stranger = dial(r, a, "198.51.100.7:4000");
    std::string refused = co_await first_reply(stranger);
    CHECK(refused == "554 5.7.1");
    std::string rest = co_await stranger.rest();
    CHECK(rest == "");
    test::TestClient unix_client = dial(r, a, "");
    std::string greeting = co_await first_reply(unix_client);
    CHECK(greeting == "220 mx.te");
    co_await a.stop(1s);
  };
  rig.loop.run(test(rig, acceptor));
  CHECK(rig.observer.saw("rejected connect 554 5.7.1"));
}

TEST_CASE("acceptor: one more than the limit is told 421, and the next is served when one has gone") {
  AcceptorRig rig(2);
  Acceptor acceptor(rig.loop, rig.sink, rig.observer, rig.acceptor_options());
  auto test = [](AcceptorRig& r, Acceptor& a) -> Task<void> {
    test::TestClient first = dial(r, a, "127.0.0.1:4001");
    test::TestClient second = dial(r, a, "127.0.0.1:4002");
    test::TestClient third = dial(r, a, "127.0.0.1:4003");
    std::string refused = co_await first_reply(third);
    CHECK(refused == "421 4.3.2");
    CHECK(a.sessions() == 2);
    co_await first.send("QUIT\r\n");
    co_await first.finish();
    std::string rest = co_await first.rest();
    co_await io::sleep_until(r.loop, r.loop.within(10s));
    CHECK(a.sessions() == 1);
    test::TestClient fourth = dial(r, a, "127.0.0.1:4004");
    std::string greeting = co_await first_reply(fourth);
    CHECK(greeting == "220 mx.te");
    co_await a.stop(1s);
  };
  rig.loop.run(test(rig, acceptor));
  CHECK(acceptor.counts().over_tcp.now == 0);
  CHECK(acceptor.counts().over_tcp.begun == 3);
  CHECK(acceptor.counts().local.begun == 0);
  CHECK(acceptor.counts().turned_away == 1);
}

TEST_CASE("acceptor: one client's share is limited, loopback's and another client's is not") {
  AcceptorRig rig(100, 1);
  Acceptor acceptor(rig.loop, rig.sink, rig.observer, rig.acceptor_options());
  auto test = [](AcceptorRig& r, Acceptor& a) -> Task<void> {
    std::vector<test::TestClient> clients;
    std::vector<std::string> said;
    for (const char* from :
         {"192.0.2.1:1", "192.0.2.1:2", "192.0.2.2:1", "127.0.0.1:1", "127.0.0.1:2", "", ""})
      clients.push_back(dial(r, a, from));
    for (test::TestClient& client : clients) {
      std::string reply = co_await first_reply(client);
      said.push_back(reply.substr(0, 3));
    }
    CHECK(said == std::vector<std::string>{"220", "421", "220", "220", "220", "220", "220"});
    co_await a.stop(1s);
  };
  rig.loop.run(test(rig, acceptor));
}

TEST_CASE("acceptor: five hundred idle connections do not keep the next from its session") {
  AcceptorRig rig;
  Acceptor acceptor(rig.loop, rig.sink, rig.observer, rig.acceptor_options());
  auto test = [](AcceptorRig& r, Acceptor& a) -> Task<void> {
    std::vector<test::TestClient> idle;
    for (int i = 0; i < 500; ++i) idle.push_back(dial(r, a, "127.0.0.1:4000"));
    test::TestClient next = dial(r, a, "127.0.0.1:4001");
    Instant start = r.loop.now();
    std::string greeting = co_await first_reply(next);
    CHECK(greeting == "220 mx.te");
    CHECK(r.loop.now() - start < 1s);
    co_await a.stop(1s);
    CHECK(a.sessions() == 0);
  };
  rig.loop.run(test(rig, acceptor));
}

TEST_CASE("acceptor: of a flood only so many are told why, the others are just closed") {
  AcceptorRig rig(0);
  Acceptor acceptor(rig.loop, rig.sink, rig.observer, rig.acceptor_options());
  auto test = [](AcceptorRig& r, Acceptor& a) -> Task<void> {
    std::vector<test::TestClient> flood;
    for (int i = 0; i < 150; ++i) flood.push_back(dial(r, a, "127.0.0.1:4000"));
    int told = 0;
    for (test::TestClient& client : flood) {
      std::string said = co_await client.rest();
      told += said.empty() ? 0 : 1;
    }
    CHECK(told == 100);
    co_await io::sleep_until(r.loop, r.loop.within(3s));
    test::TestClient later = dial(r, a, "127.0.0.1:4000");
    std::string refused = co_await first_reply(later);
    CHECK(refused == "421 4.3.2");
    co_await a.stop(1s);
  };
  rig.loop.run(test(rig, acceptor));
}

TEST_CASE("acceptor: stopping gives a transaction its grace and no more") {
  AcceptorRig rig;
  Acceptor acceptor(rig.loop, rig.sink, rig.observer, rig.acceptor_options());
  auto test = [](AcceptorRig& r, Acceptor& a) -> Task<void> {
    test::TestClient idle = dial(r, a, "127.0.0.1:1");
    test::TestClient busy = dial(r, a, "127.0.0.1:2");
    std::string greeting = co_await busy.reply();
    co_await busy.send("MAIL FROM:<a@x.test>\r\n");
    std::string ok = co_await busy.reply();
    Instant start = r.loop.now();
    co_await a.stop(10s);
    CHECK(r.loop.now() - start == 10s);
    std::string last = co_await idle.rest();
    CHECK(last.ends_with("421 4.3.2 Shutting down, try again soon\r\n"));
  };
  rig.loop.run(test(rig, acceptor));
}

TEST_CASE("acceptor: new options hold for new sessions") {
  AcceptorRig rig;
  Acceptor acceptor(rig.loop, rig.sink, rig.observer, rig.acceptor_options());
  auto test = [](AcceptorRig& r, Acceptor& a) -> Task<void> {
    test::TestClient before = dial(r, a, "127.0.0.1:1");
    r.options.hostname = "other.test";
    r.policy.allow.clear();
    a.configure(r.acceptor_options());
    test::TestClient after = dial(r, a, "");
    test::TestClient refused = dial(r, a, "127.0.0.1:2");
    std::string old_name = co_await before.reply();
    CHECK(old_name.starts_with("220 mx.test "));
    std::string new_name = co_await after.reply();
    CHECK(new_name.starts_with("220 other.test "));
    std::string not_allowed = co_await refused.reply();
    CHECK(not_allowed.starts_with("554 "));
    co_await a.stop(1s);
  };
  rig.loop.run(test(rig, acceptor));
}

TEST_CASE("acceptor: a message over a real socket, and over implicit TLS") {
  SystemClock clock;
  io::Loop loop(clock);
  test::MemorySink sink(loop);
  test::RecordingObserver observer;
  AcceptorRig settings;
  const auto& files = test::test_certificates().good;
  AcceptorOptions secure = settings.acceptor_options();
  secure.implicit_tls = io::TlsServer::create(files.cert, files.key).value();
  Acceptor plain_acceptor(loop, sink, observer, settings.acceptor_options());
  Acceptor tls_acceptor(loop, sink, observer, secure);
  Endpoint any = *Endpoint::parse("127.0.0.1:0");
  auto plain_listener = io::Listener::listen_tcp(loop, any).value();
  auto tls_listener = io::Listener::listen_tcp(loop, any).value();
  Endpoint plain_at = *plain_listener->local();
  Endpoint tls_at = *tls_listener->local();
  plain_acceptor.listen(std::move(plain_listener));
  tls_acceptor.listen(std::move(tls_listener));

  static const std::string kSession =
      "EHLO a\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nDATA\r\nhi\r\n.\r\nQUIT\r\n";
  auto send = [](io::Loop& l, io::StreamPtr stream) -> Task<void> {
    test::TestClient client(l, std::move(stream));
    co_await client.send(kSession);
    std::string replies = co_await client.rest();
    CHECK(replies.ends_with("221 2.0.0 Bye\r\n"));
  };
  auto test = [&](Endpoint plain_to, Endpoint tls_to) -> Task<void> {
    auto plain = co_await io::connect_tcp(loop, plain_to, loop.within(10s));
    co_await send(loop, std::move(plain.value()));
    auto under = co_await io::connect_tcp(loop, tls_to, loop.within(10s));
    io::TlsClientOptions trusting;
    trusting.name = "127.0.0.1";
    trusting.ca_file = test::test_certificates().ca_file;
    auto tls = io::TlsClient::create(trusting).value();
    auto over = co_await tls->connect(std::move(under.value()), loop.within(10s));
    co_await send(loop, std::move(over.value()));
    co_await plain_acceptor.stop(10s);
    co_await tls_acceptor.stop(10s);
  };
  loop.run(test(plain_at, tls_at));
  REQUIRE(sink.mails().size() == 2);
  CHECK(sink.mails()[0].content.find("with ESMTP id") != std::string::npos);
  CHECK(sink.mails()[1].content.find("with ESMTPS id") != std::string::npos);
}

TEST_CASE("acceptor: while connections are short, who idles makes room for a new client within seconds") {
  AcceptorRig rig(10);
  Acceptor acceptor(rig.loop, rig.sink, rig.observer, rig.acceptor_options());
  auto test = [](AcceptorRig& r, Acceptor& a) -> Task<void> {
    std::vector<test::TestClient> idle;
    for (int i = 0; i < 10; ++i) idle.push_back(dial(r, a, "127.0.0.1:4000"));
    co_await idle[3].send("EHLO x\r\nMAIL FROM:<a@x.test>\r\n");  // in the middle of a transaction
    co_await idle[4].send("MAIL FR");
    test::TestClient refused = dial(r, a, "127.0.0.1:4001");
    std::string too_many = co_await first_reply(refused);
    CHECK(too_many == "421 4.3.2");
    test::TestClient local = dial(r, a, "");  // sendmail(1) has places of its own
    std::string at_once = co_await first_reply(local);
    CHECK(at_once == "220 mx.te");
    co_await io::sleep_until(r.loop, r.loop.within(25s));
    test::TestClient next = dial(r, a, "127.0.0.1:4002");
    std::string greeting = co_await first_reply(next);
    CHECK(greeting == "220 mx.te");
    std::string said = co_await idle[3].rest();
    CHECK(said.find("\r\n421 4.4.2 ") != said.npos);
    co_await a.stop(1s);
  };
  rig.loop.run(test(rig, acceptor));
}

TEST_CASE("acceptor: where there is room, an idle client has its five minutes") {
  AcceptorRig rig(10);
  Acceptor acceptor(rig.loop, rig.sink, rig.observer, rig.acceptor_options());
  auto test = [](AcceptorRig& r, Acceptor& a) -> Task<void> {
    test::TestClient client = dial(r, a, "127.0.0.1:4000");
    co_await client.send("NO");
    co_await io::sleep_until(r.loop, r.loop.within(4min + 59s));
    co_await client.send("OP\r\n");
    std::string greeting = co_await first_reply(client);
    std::string reply = co_await first_reply(client);
    CHECK(reply == "250 2.0.0");
    Instant start = r.loop.now();
    std::string rest = co_await client.rest();
    CHECK(rest.starts_with("421 4.4.2 "));
    CHECK(r.loop.now() - start >= 5min);
    co_await a.stop(1s);
  };
  rig.loop.run(test(rig, acceptor));
}

TEST_CASE("acceptor: no user has all places of the Unix socket") {
  AcceptorRig rig;
  rig.policy.per_user = 2;
  Acceptor acceptor(rig.loop, rig.sink, rig.observer, rig.acceptor_options());
  auto test = [](AcceptorRig& r, Acceptor& a) -> Task<void> {
    std::vector<test::TestClient> clients;
    std::vector<std::string> said;
    for (std::uint32_t uid : {1000u, 1000u, 1000u, 1001u}) {
      io::MemoryPairOptions wire;
      wire.uid = uid;
      io::MemoryPair pair = io::make_memory_pair(r.loop, wire);
      a.take(std::move(pair.first));
      clients.emplace_back(r.loop, std::move(pair.second));
      said.push_back(co_await first_reply(clients.back()));
    }
    CHECK(said == std::vector<std::string>{"220 mx.te", "220 mx.te", "421 4.7.0", "220 mx.te"});
    co_await a.stop(1s);
  };
  rig.loop.run(test(rig, acceptor));
}

TEST_CASE("acceptor: closed, it lets a mail end and greets nobody; opened again, it takes mail") {
  AcceptorRig rig;
  Acceptor acceptor(rig.loop, rig.sink, rig.observer, rig.acceptor_options());
  auto test = [](AcceptorRig& r, Acceptor& a) -> Task<void> {
    test::TestClient busy = dial(r, a, "127.0.0.1:4001");
    co_await busy.reply();
    co_await busy.send("EHLO me\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n");
    for (int i = 0; i < 4; ++i) co_await busy.reply();
    test::TestClient idle = dial(r, a, "127.0.0.1:4002");
    co_await idle.reply();
    a.close();
    std::string sent_away = co_await first_reply(idle);
    CHECK(sent_away == "421 4.3.2");
    test::TestClient late = dial(r, a, "127.0.0.1:4003");
    std::string refused = co_await first_reply(late);
    CHECK(refused == "421 4.3.2");
    a.open();
    test::TestClient next = dial(r, a, "127.0.0.1:4004");
    std::string greeting = co_await first_reply(next);
    CHECK(greeting == "220 mx.te");
    co_await busy.send("Subject: x\r\n\r\nhi\r\n.\r\n");
    std::string taken = co_await first_reply(busy);
    CHECK(taken == "250 2.0.0");
    std::string rest = co_await busy.rest();
    CHECK(rest.starts_with("421 4.3.2 "));
    co_await next.send("NOOP\r\n");
    std::string reply = co_await first_reply(next);
    CHECK(reply == "250 2.0.0");
    co_await a.stop(1s);
  };
  rig.loop.run(test(rig, acceptor));
}
