// SPDX-License-Identifier: MIT
// Two daemons, one token, and a provider that kills the grant if a refresh token is used twice.
#include "daemon/oauth/shared_token.h"

#include "tests/support/fake_accounts.h"
#include "tests/unit/oauth/oauth_rig.h"

using namespace hikyaku;
using namespace hikyaku::oauth;
using namespace hikyaku::test;

namespace {

// Of all nodes together.
class RotatingProvider final : public TokenEndpoint {
 public:
  Result<EndpointAnswer, std::string> post(const EndpointRequest& request) override {
    const std::lock_guard lock(mutex_);
    if (!is_reachable) return std::unexpected("no connection to https://token.example");
    ++asked;
    const std::string used = fields_of(request.form.reveal())["refresh_token"];
    is_dead = is_dead || used != cat("refresh-", std::to_string(issued));
    if (is_dead) return EndpointAnswer{400, Secret(R"({"error":"invalid_grant"})"), {}};
    ++issued;
    const std::string number = std::to_string(issued);
    return EndpointAnswer{200,
                          Secret(cat(R"({"access_token":"access-)", number, R"(","refresh_token":"refresh-)",
                                     number, R"(","expires_in":3600})")),
                          {}};
  }

  bool is_reachable = true, is_dead = false;
  int asked = 0, issued = 0;

 private:
  std::mutex mutex_;
};

struct TokenNode {
  FakeAccounts accounts;
  Tokens tokens;
  io::Loop& loop;
  int wakes = 0;

  TokenNode(io::Loop& its_loop, AccountTable& table, log::MailLog& log, TokenEndpoint& endpoint)
      : accounts(its_loop, table),
        tokens({.loop = its_loop,
                .log = log,
                .endpoint = endpoint,
                .on_token = [this] { ++wakes; },
                .jitter = [] { return 0.5; },
                .accounts = &accounts}),
        loop(its_loop) {
    tokens.configure("/nowhere", {oauth_smarthost()});
  }
  ~TokenNode() {
    accounts.is_cut = false;
    loop.run(tokens.stop());
  }
  std::string token() {
    auto got = loop.run(tokens.token("main", {}));
    return got ? std::string(got->reveal()) : std::string(to_text(got.error().kind));
  }
  auto log_in(const std::string& refresh_token) {
    StoredToken token;
    token.refresh_token = Secret(refresh_token);
    return loop.run(tokens.find("main")->adopt(token));
  }
};

struct SharedRig {
  ManualClock clock;
  io::Loop loop{clock};
  AccountTable table;
  std::vector<std::string> lines;
  log::MailLog log{clock, {}, [this](LogLevel, std::string_view line) { lines.emplace_back(line); }};
  RotatingProvider provider;

  std::unique_ptr<TokenNode> node() { return std::make_unique<TokenNode>(loop, table, log, provider); }
  void pass(Duration time) { loop.run(io::sleep_until(loop, loop.within(time))); }
};

}  // namespace

TEST_CASE("shared token: somebody logs in at one node, and all have the token within a minute") {
  SharedRig rig;
  auto left = rig.node(), right = rig.node();
  rig.pass(1s);
  CHECK(right->token() == "oauth_consent_needed");
  REQUIRE(left->log_in("refresh-0"));
  CHECK(left->token() == "access-1");
  auto third = rig.node();
  REQUIRE(rig.loop.run(third->tokens.find("main")->refresh_now()));
  CHECK(rig.provider.issued == 2);
  rig.pass(61s);
  CHECK(right->wakes == 1);  // mail that has waited for it goes
  CHECK(right->token() == "access-2");
  CHECK(rig.provider.asked == 2);
  REQUIRE(rig.loop.run(right->tokens.find("main")->revoke_now()));
  rig.pass(61s);
  CHECK(left->token() == "oauth_consent_needed");
}

TEST_CASE("shared token: over weeks nodes come and go, and no refresh token is used twice") {
  SharedRig rig;
  std::vector<std::unique_ptr<TokenNode>> nodes;
  for (int i = 0; i < 3; ++i) nodes.push_back(rig.node());
  REQUIRE(nodes[0]->log_in("refresh-0"));
  for (int hour = 0; hour < 400; ++hour) {
    auto& node = nodes[static_cast<std::size_t>(hour) % 3];
    if (hour % 7 == 0) node.reset(), node = rig.node();
    if (hour % 5 == 0) node->accounts.delay = std::chrono::milliseconds(hour);
    rig.pass(1h);
    for (auto& each : nodes) CHECK(each->token().starts_with("access-"));
  }
  CHECK_FALSE(rig.provider.is_dead);
  CHECK(rig.provider.asked <= 400 * 60 / 48);
}

TEST_CASE("shared token: nodes that need a token at the same moment ask once") {
  SharedRig rig;
  auto left = rig.node(), right = rig.node();
  REQUIRE(left->log_in("refresh-0"));
  rig.pass(2min);
  rig.provider.is_reachable = false;
  rig.pass(2h);
  CHECK(left->token() == "oauth_unreachable");
  rig.provider.is_reachable = true;
  rig.pass(20min);
  CHECK(left->token() == "access-2");
  CHECK(right->token() == "access-2");
  CHECK_FALSE(rig.provider.is_dead);
}

TEST_CASE("shared token: who has claimed the right to ask has it until it is kept, or has died") {
  SharedRig rig;
  FakeAccounts accounts(rig.loop, rig.table);
  SharedToken one(rig.loop, accounts, "main"), other(rig.loop, accounts, "main");
  const auto never = [](const StoredToken&) { return false; };
  REQUIRE(rig.loop.run(one.claim(never, {})));
  REQUIRE(one.has_claim());
  CHECK_FALSE(rig.loop.run(other.claim(never, rig.loop.within(kClaim - 5s))));
  SUBCASE("it is kept") {
    StoredToken token = consented("refresh-1");
    token.obtained = rig.clock.wall();
    REQUIRE(rig.loop.run(one.save(token, false)));
    auto found = rig.loop.run(other.claim(never, rig.loop.within(1s)));
    REQUIRE(found);
    CHECK(found->refresh_token == Secret("refresh-1"));
  }
  SUBCASE("it has died") { CHECK(rig.loop.run(other.claim(never, rig.loop.within(10s)))); }
  CHECK(other.has_claim());
}

TEST_CASE("shared token: what cannot be kept is kept later, and what came meanwhile is not thrown away") {
  SharedRig rig;
  auto left = rig.node();
  REQUIRE(left->log_in("refresh-0"));
  left->accounts.is_cut = true;
  rig.pass(55min);
  CHECK(left->token() == "access-1");  // nobody asks who cannot claim
  CHECK(rig.provider.asked == 1);
  left->accounts.is_cut = false;
  rig.pass(20min);
  CHECK(left->token() == "access-2");
  auto right = rig.node();
  rig.pass(1s);
  CHECK(right->token() == "access-2");
  for (const std::string& line : rig.lines) CHECK(line.find("access-") == line.npos);
}

TEST_CASE("shared token: times there are by the shared clock, whatever a node's own says") {
  SharedRig rig;
  auto left = rig.node();
  REQUIRE(left->log_in("refresh-0"));
  left.reset();
  rig.clock.set_wall(rig.clock.wall() + 24h);
  auto right = rig.node();
  rig.pass(10min);
  CHECK(right->token() == "access-1");
}
