// SPDX-License-Identifier: MIT
// A destination over real sockets, dialled as a lane does it: again while the client wants a new connection.
#include "daemon/io/listener.h"
#include "daemon/io/nursery.h"
#include "doctest/doctest.h"
#include "smtpc/client.h"
#include "tests/support/peers/scripted_peer.h"
#include "tests/support/peers/test_certificates.h"

using namespace hikyaku;
using namespace hikyaku::smtpc;
using mail::FailureKind;

namespace {

// The servers of a domain, all on one address.
class OneAddress final : public dns::DestinationResolver {
 public:
  Task<dns::DestinationAnswer> resolve(std::string domain, std::uint16_t, io::Until) override {
    co_return dns::Destination{
        .domain = std::move(domain),
        .hosts = {{.name = "smtp.example", .addresses = {*IpAddress::parse("127.0.0.1")}}}};
  }
};

struct FallbackRig {
  FallbackRig() {
    auto opened = io::Listener::listen_tcp(loop, *Endpoint::parse("127.0.0.1:0"));
    REQUIRE(opened);
    listener = std::move(*opened);
    smarthost.name = "direct";
    smarthost.host = "shop.example";
    smarthost.port = listener->local()->port;
    smarthost.direct = true;
    smarthost.auth = false;
    smarthost.tls.mode = mail::TlsMode::opportunistic;
    smarthost.tls.verify = false;
    io::TlsClientOptions options;
    options.verify = false;
    options.ca_file = test::test_certificates().ca_file;
    tls = io::TlsClient::create(options).value();
  }

  // Plays a script for each connection, in order; `tls_server` is for those that speak TLS.
  Task<void> serve(std::vector<std::string> scripts, std::shared_ptr<io::TlsServer> tls_server) {
    for (const std::string& script : scripts) {
      auto stream = co_await listener->accept({});
      REQUIRE(stream);
      test::ScriptedPeer peer(loop, script, tls_server);
      co_await peer.play(std::move(*stream));
      problems += peer.problem();
      ++served;
    }
  }

  Task<void> dial_as_a_lane_does() {
    for (bool again = true; again;) {
      auto stream = co_await connector.dial(smarthost, {});
      if (!stream) co_return;
      Client client({.loop = loop,
                     .smarthost = smarthost,
                     .connector = connector,
                     .knowledge = knowledge,
                     .tls = tls,
                     .ehlo_name = "client.example",
                     .instance_token = ""},
                    std::move(*stream));
      auto opened = co_await client.open();
      is_open = opened.has_value();
      is_encrypted = client.tls() != nullptr;
      if (!opened) failure = opened.error().failure;
      again = !opened && client.wants_new_connection();
      if (opened) co_await client.quit();
    }
  }

  void run(std::vector<std::string> scripts, std::shared_ptr<io::TlsServer> tls_server = nullptr) {
    io::Nursery nursery(loop);
    nursery.spawn(serve(std::move(scripts), std::move(tls_server)));
    nursery.spawn(dial_as_a_lane_does());
    loop.run(nursery.drained({}));
    CHECK(problems == "");
  }

  SystemClock clock;
  io::Loop loop{clock};
  io::SystemResolver resolver{loop};
  OneAddress destinations;
  SystemConnector connector{loop, resolver, destinations, [](const Endpoint&) { return false; }};
  std::unique_ptr<io::Listener> listener;
  mail::Smarthost smarthost;
  PeerKnowledge knowledge;
  std::shared_ptr<io::TlsClient> tls;
  std::string problems;
  std::size_t served = 0;
  bool is_open = false;
  bool is_encrypted = false;
  mail::Failure failure;
};

const std::string kHello = "S: 220 hi\nC: EHLO client.example\nS: 250-hi\nS: 250 STARTTLS\n";
const std::string kNoTls = kHello + "C: STARTTLS\nS: 454 4.7.0 not now\nCLOSE";
const std::string kBrokenTls = kHello + "C: STARTTLS\nS: 220 go\nCLOSE";
const std::string kClear = kHello + "C: QUIT\nS: 221 bye\nCLOSE";

}  // namespace

TEST_CASE("smtpc: a handshake that fails on a destination is followed by a new connection in clear text") {
  for (const std::string& first : {kBrokenTls, kNoTls}) {
    FallbackRig rig;
    rig.run({first, kClear});
    CHECK(rig.is_open);
    CHECK_FALSE(rig.is_encrypted);
    CHECK(rig.served == 2);
  }
}

TEST_CASE("smtpc: that TLS fails is remembered, so the next connection does not try") {
  FallbackRig rig;
  rig.run({kBrokenTls, kClear});
  rig.run({kClear});
  CHECK(rig.is_open);
  CHECK(rig.served == 3);
}

TEST_CASE("smtpc: a destination with good TLS is not dialled twice") {
  FallbackRig rig;
  const auto& good = test::test_certificates().good;
  rig.run(
      {kHello + "C: STARTTLS\nS: 220 go\nTLS\nC: EHLO client.example\nS: 250 hi\nC: QUIT\nS: 221 bye\nCLOSE"},
      io::TlsServer::create(good.cert, good.key).value());
  CHECK(rig.is_open);
  CHECK(rig.is_encrypted);
}

TEST_CASE("smtpc: where a destination's TLS is demanded there is no second connection") {
  FallbackRig rig;
  rig.smarthost.tls.mode = mail::TlsMode::starttls;
  rig.run({kBrokenTls});
  CHECK_FALSE(rig.is_open);
  CHECK(rig.served == 1);
  CHECK(rig.failure.stage == mail::Stage::tls);
}

TEST_CASE("smtpc: a smarthost by MX records whose TLS fails gets nothing in clear text") {
  FallbackRig rig;
  rig.smarthost.direct = false;
  rig.smarthost.lookup_mx = true;
  rig.run({kBrokenTls});
  CHECK_FALSE(rig.is_open);
  CHECK(rig.served == 1);
}
