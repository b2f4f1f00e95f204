// SPDX-License-Identifier: MIT
// Real sockets on loopback; only the names are made up.
#include "smtpc/connector.h"

#include "daemon/io/listener.h"
#include "doctest/doctest.h"

using namespace hikyaku;
using namespace hikyaku::smtpc;
using mail::FailureKind;
using mail::Stage;

namespace {

class FixedResolver final : public io::Resolver {
 public:
  Task<Result<std::vector<IpAddress>, IoError>> resolve(std::string, io::Until until) override {
    if (silent) {
      auto woken = co_await io::sleep_until(loop, until);
      co_return std::unexpected(io::to_error(woken));
    }
    co_return answer;
  }

  explicit FixedResolver(io::Loop& with) : loop(with) {}
  io::Loop& loop;
  bool silent = false;
  Result<std::vector<IpAddress>, IoError> answer;
};

// Domains whose servers are what the test says.
class FixedDestinations final : public dns::DestinationResolver {
 public:
  Task<dns::DestinationAnswer> resolve(std::string domain, std::uint16_t, io::Until) override {
    asked.push_back(domain);
    co_return answer;
  }
  void set(const std::vector<std::pair<const char*, const char*>>& servers) {
    dns::Destination destination{.domain = "shop.example", .hosts = {}};
    for (const auto& [name, address] : servers)
      destination.hosts.push_back({.name = name, .addresses = {*IpAddress::parse(address)}});
    answer = destination;
  }

  std::vector<std::string> asked;
  dns::DestinationAnswer answer = std::unexpected(dns::DestinationError{});
};

struct ConnectorRig {
  SystemClock clock;
  io::Loop loop{clock};
  FixedResolver resolver{loop};
  FixedDestinations destinations;
  mail::Smarthost smarthost;
  std::optional<Endpoint> ours;

  Result<io::StreamPtr, mail::Failure> dial(std::vector<const char*> addresses, io::Until until = {}) {
    if (!addresses.empty()) resolver.answer.emplace();
    for (const char* address : addresses) resolver.answer->push_back(*IpAddress::parse(address));
    SystemConnector connector(loop, resolver, destinations,
                              [this](const Endpoint& to) { return ours == to; });
    return loop.run(connector.dial(smarthost, until));
  }
};

Attempt attempt(const char* to, IoErrorKind kind) { return {*Endpoint::parse(to), {kind, "why"}}; }

// Two servers of shop.example on 127.0.0.1 and 127.0.0.2, with one port; each listens if it is told to.
struct ServersRig {
  explicit ServersRig(bool first = true, bool second = true) {
    auto probe = io::Listener::listen_tcp(loop, *Endpoint::parse("127.0.0.1:0"));
    REQUIRE(probe);
    smarthost.name = "direct";
    smarthost.host = "shop.example";
    smarthost.port = (*probe)->local()->port;
    smarthost.direct = true;
    smarthost.tls.mode = mail::TlsMode::opportunistic;
    smarthost.tls.verify = false;
    if (first) listeners.push_back(std::move(*probe));
    if (second) {
      auto other =
          io::Listener::listen_tcp(loop, *Endpoint::parse("127.0.0.2:" + std::to_string(smarthost.port)));
      REQUIRE(other);
      listeners.push_back(std::move(*other));
    }
    destinations.set({{"mx1.shop.example", "127.0.0.1"}, {"mx2.shop.example", "127.0.0.2"}});
  }

  // The name of the server that was reached; the failure's kind if none was.
  std::string dial() {
    auto stream = loop.run(connector.dial(smarthost, {}));
    if (stream) return std::string((*stream)->peer_name());
    failure = stream.error();
    return std::string(mail::to_text(stream.error().kind));
  }
  // A session with the server could not be opened.
  bool wants_another(const char* address, Stage stage, FailureKind kind) {
    mail::Failure why = mail::make_failure(smarthost, stage, kind);
    why.address = std::string(address) + ":" + std::to_string(smarthost.port);
    return loop.run(connector.wants_another(smarthost, why, {}));
  }
  bool avoids_tls(const char* address) {
    return connector.avoids_tls(std::string(address) + ":" + std::to_string(smarthost.port));
  }

  SystemClock clock;
  io::Loop loop{clock};
  FixedResolver resolver{loop};
  FixedDestinations destinations;
  std::vector<std::unique_ptr<io::Listener>> listeners;
  mail::Smarthost smarthost;
  mail::Failure failure;
  SystemConnector connector{loop, resolver, destinations, [](const Endpoint&) { return false; }};
};

// A port of 127.0.0.1 where nobody listens.
std::uint16_t closed_port(io::Loop& loop) {
  auto listener = io::Listener::listen_tcp(loop, *Endpoint::parse("127.0.0.1:0"));
  REQUIRE(listener);
  return (*listener)->local()->port;
}

}  // namespace

TEST_CASE("smtpc: all addresses are tried in turn") {
  ConnectorRig rig;
  auto listener = io::Listener::listen_tcp(rig.loop, *Endpoint::parse("127.0.0.1:0"));
  REQUIRE(listener);
  rig.smarthost.port = (*listener)->local()->port;
  auto stream = rig.dial({"127.0.0.2", "127.0.0.1"});  // a listener of 127.0.0.1 does not hear 127.0.0.2
  REQUIRE(stream);
  CHECK((*stream)->peer() == (*listener)->local());
}

TEST_CASE("smtpc: when no address answers the most telling error is reported, and the others with it") {
  ConnectorRig rig;
  rig.smarthost.port = closed_port(rig.loop);
  auto stream = rig.dial({"127.0.0.1", "127.0.0.2"});
  REQUIRE_FALSE(stream);
  CHECK(stream.error().kind == FailureKind::refused);
  CHECK(stream.error().stage == Stage::connect);
  CHECK(stream.error().address == "127.0.0.1:" + std::to_string(rig.smarthost.port));
  CHECK(stream.error().detail.find("; 127.0.0.2:") != std::string::npos);
}

TEST_CASE("smtpc: a refusal tells more than silence, silence more than a family without a route") {
  auto none = attempt("[2001:db8::1]:25", IoErrorKind::unreachable);
  auto silent = attempt("192.0.2.1:25", IoErrorKind::timeout);
  auto refused = attempt("192.0.2.2:25", IoErrorKind::refused);
  auto also_refused = attempt("192.0.2.3:25", IoErrorKind::refused);
  auto over = attempt("192.0.2.4:25", IoErrorKind::cancelled);
  CHECK(most_telling({none}).to == none.to);
  CHECK(most_telling({none, silent}).to == silent.to);
  CHECK(most_telling({silent, refused, none}).to == refused.to);
  CHECK(most_telling({refused, also_refused}).to == refused.to);
  CHECK(most_telling({refused, over}).to == over.to);
}

TEST_CASE("smtpc: a connection to one of our own listeners is refused") {
  ConnectorRig rig;
  auto listener = io::Listener::listen_tcp(rig.loop, *Endpoint::parse("127.0.0.1:0"));
  REQUIRE(listener);
  rig.ours = (*listener)->local();
  rig.smarthost.port = rig.ours->port;
  auto stream = rig.dial({"127.0.0.1"});
  REQUIRE_FALSE(stream);
  CHECK(stream.error().kind == FailureKind::ourselves);
  CHECK(stream.error().address == rig.ours->to_text());
}

TEST_CASE("smtpc: a failed look-up is reported as one") {
  ConnectorRig rig;
  rig.resolver.answer = fail(IoErrorKind::no_such_name, "smtp.exmaple.com does not exist");
  auto stream = rig.dial({});
  REQUIRE_FALSE(stream);
  CHECK(stream.error().kind == FailureKind::no_such_name);
  CHECK(stream.error().stage == Stage::lookup);
}

TEST_CASE("smtpc: a look-up has ten seconds") {
  ManualClock clock;
  io::Loop loop(clock);
  FixedResolver resolver(loop);
  resolver.silent = true;
  FixedDestinations destinations;
  SystemConnector connector(loop, resolver, destinations, [](const Endpoint&) { return false; });
  mail::Smarthost smarthost;
  Instant begin = clock.now();
  auto stream = loop.run(connector.dial(smarthost, {}));
  REQUIRE_FALSE(stream);
  CHECK(stream.error().kind == FailureKind::lookup_failed);
  CHECK(clock.now() - begin == 10s);
}

TEST_CASE("smtpc: a cancelled dial tries no further address") {
  ConnectorRig rig;
  io::Cancel cancel;
  cancel.request();
  rig.smarthost.port = closed_port(rig.loop);
  auto stream = rig.dial({"127.0.0.1", "127.0.0.2"}, {kNever, &cancel});
  REQUIRE_FALSE(stream);
  CHECK(stream.error().io == IoErrorKind::cancelled);
}

TEST_CASE("smtpc: a domain's servers are dialled in their order, under their own names") {
  ServersRig rig;
  CHECK(rig.dial() == "mx1.shop.example");
  CHECK(rig.destinations.asked == std::vector<std::string>{"shop.example"});
}

TEST_CASE("smtpc: a smarthost with `lookup: mx` is dialled at its servers, one without it never") {
  ServersRig rig;
  rig.smarthost.direct = false;
  rig.smarthost.lookup_mx = true;
  CHECK(rig.dial() == "mx1.shop.example");
  rig.smarthost.lookup_mx = false;
  rig.resolver.answer = std::vector{*IpAddress::parse("127.0.0.2")};
  CHECK(rig.dial() == "");
  CHECK(rig.destinations.asked.size() == 1);
}

TEST_CASE("smtpc: a server that does not answer is passed over, and tried last for a while") {
  ServersRig rig(false, true);
  CHECK(rig.dial() == "mx2.shop.example");
  auto back = io::Listener::listen_tcp(rig.loop, {*IpAddress::parse("127.0.0.1"), rig.smarthost.port});
  REQUIRE(back);
  CHECK(rig.dial() == "mx2.shop.example");
}

TEST_CASE("smtpc: when each server has failed all of them are tried again") {
  ServersRig rig(false, false);
  CHECK(rig.dial() == "refused");
  CHECK(rig.failure.host == "mx1.shop.example");
  CHECK(rig.failure.detail.find("; 127.0.0.2:") != std::string::npos);
  auto back = io::Listener::listen_tcp(rig.loop, {*IpAddress::parse("127.0.0.1"), rig.smarthost.port});
  REQUIRE(back);
  CHECK(rig.dial() == "mx1.shop.example");
}

TEST_CASE("smtpc: a server that refuses us at the greeting gives way to the next, until none is left") {
  ServersRig rig;
  CHECK(rig.dial() == "mx1.shop.example");
  CHECK(rig.wants_another("127.0.0.1", Stage::greeting, FailureKind::smarthost_refuses));
  CHECK(rig.dial() == "mx2.shop.example");
  CHECK_FALSE(rig.wants_another("127.0.0.2", Stage::greeting, FailureKind::smarthost_refuses));
  CHECK(rig.dial() == "mx1.shop.example");
}

TEST_CASE("smtpc: a failed log-in, ourselves, and a smarthost without MX give way to nobody") {
  ServersRig rig;
  CHECK_FALSE(rig.wants_another("127.0.0.1", Stage::auth, FailureKind::auth_rejected));
  CHECK_FALSE(rig.wants_another("127.0.0.1", Stage::greeting, FailureKind::ourselves));
  rig.smarthost.direct = false;
  CHECK_FALSE(rig.wants_another("127.0.0.1", Stage::greeting, FailureKind::smarthost_refuses));
}

TEST_CASE("smtpc: a server that has too many connections of ours does not lead to its neighbours") {
  ServersRig rig;
  mail::Failure why = mail::make_failure(rig.smarthost, Stage::greeting, FailureKind::smarthost_refuses);
  why.address = "127.0.0.1:" + std::to_string(rig.smarthost.port);
  why.reply = mail::parse_reply("421 4.7.0 too many connections from your host");
  CHECK_FALSE(rig.loop.run(rig.connector.wants_another(rig.smarthost, why, {})));
  CHECK(rig.dial() == "mx1.shop.example");
}

TEST_CASE("smtpc: a destination whose TLS fails is dialled again without, and remembered") {
  ServersRig rig;
  CHECK_FALSE(rig.avoids_tls("127.0.0.1"));
  CHECK(rig.wants_another("127.0.0.1", Stage::tls, FailureKind::tls_failed));
  CHECK(rig.avoids_tls("127.0.0.1"));
  CHECK_FALSE(rig.avoids_tls("127.0.0.2"));
  CHECK(rig.dial() == "mx1.shop.example");
}

TEST_CASE(
    "smtpc: nothing goes in clear text after injected bytes, or where TLS or its verification is demanded") {
  auto goes_without_tls = [](auto change, FailureKind kind = FailureKind::tls_failed) {
    ServersRig rig;
    change(rig.smarthost);
    rig.wants_another("127.0.0.1", Stage::tls, kind);
    return rig.avoids_tls("127.0.0.1");
  };
  CHECK(goes_without_tls([](mail::Smarthost&) {}));
  CHECK_FALSE(goes_without_tls([](mail::Smarthost&) {}, FailureKind::injected_after_starttls));
  CHECK_FALSE(goes_without_tls([](mail::Smarthost& s) { s.tls.mode = mail::TlsMode::starttls; }));
  CHECK_FALSE(goes_without_tls([](mail::Smarthost& s) { s.tls.verify = true; }));
  CHECK_FALSE(goes_without_tls([](mail::Smarthost& s) { s.direct = false, s.lookup_mx = true; }));
}

TEST_CASE("smtpc: a failed look-up of servers keeps its kind, and is the recipient's if it is permanent") {
  ServersRig rig;
  rig.destinations.answer = std::unexpected(dns::DestinationError{FailureKind::null_mx, true, ""});
  CHECK(rig.dial() == "null_mx");
  CHECK(rig.failure.stage == Stage::lookup);
  CHECK(rig.failure.is_direct);
  CHECK(rig.failure.concerns == mail::Concerns::recipient);
  rig.destinations.answer =
      std::unexpected(dns::DestinationError{FailureKind::lookup_failed, false, "SERVFAIL"});
  CHECK(rig.dial() == "lookup_failed");
  CHECK(rig.failure.detail == "SERVFAIL");
  CHECK(rig.failure.concerns == mail::Concerns::smarthost);
}

TEST_CASE("smtpc: several silent destinations in a row mean that the network keeps the port closed") {
  ServersRig rig;
  auto silent_dial = [&](const std::string& domain) {
    mail::Smarthost there = rig.smarthost;
    there.host = domain;
    auto stream = rig.loop.run(rig.connector.dial(there, {rig.clock.now(), nullptr}));
    CHECK_FALSE(stream);
  };
  for (int i = 0; i < 10; ++i) silent_dial("same.example");
  CHECK_FALSE(rig.connector.is_port_blocked());
  for (int i = 0; i < 5; ++i) silent_dial(std::to_string(i) + ".example");
  CHECK(rig.connector.is_port_blocked());
  CHECK(rig.dial() != "");
  CHECK_FALSE(rig.connector.is_port_blocked());
}
