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

struct ConnectorRig {
  SystemClock clock;
  io::Loop loop{clock};
  FixedResolver resolver{loop};
  mail::Smarthost smarthost;
  std::optional<Endpoint> ours;

  Result<io::StreamPtr, mail::Failure> dial(std::vector<const char*> addresses, io::Until until = {}) {
    if (!addresses.empty()) resolver.answer.emplace();
    for (const char* address : addresses) resolver.answer->push_back(*IpAddress::parse(address));
    SystemConnector connector(loop, resolver, [this](const Endpoint& to) { return ours == to; });
    return loop.run(connector.dial(smarthost, until));
  }
};

Attempt attempt(const char* to, IoErrorKind kind) { return {*Endpoint::parse(to), {kind, "why"}}; }

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
  SystemConnector connector(loop, resolver, [](const Endpoint&) { return false; });
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
