// SPDX-License-Identifier: MIT
// A relay among others of a shared spool: its part of connections and rates, and what others have proven.
#include "daemon/relay/sharing.h"

#include <fstream>

#include "daemon/system/files.h"
#include "tests/support/fake_accounts.h"
#include "tests/unit/relay/relay_rig.h"

using namespace hikyaku;
using namespace hikyaku::relay;
using namespace hikyaku::test;
using mail::RateUnit;

namespace {

struct FleetRig : RelayRig {
  AccountTable table;
  FakeAccounts shared{loop, table};
  std::vector<Instant> sent;

  FleetRig() {
    accounts = &shared;
    main().answer = [this](const std::string& command) {
      if (command == ".") sent.push_back(loop.now());
      return "";
    };
  }
  ~FleetRig() { stop_relay(); }
  void queue(int mails) {
    for (int i = 0; i < mails; ++i) send();
  }
  bool has_line(std::string_view text) const {
    return std::ranges::any_of(lines, [&](const auto& line) { return line.find(text) != line.npos; });
  }
};

}  // namespace

TEST_CASE("sharing: connections are divided by the nodes that are alive, without a reload") {
  FleetRig rig;
  rig.settings.smarthosts[0].connections = 4;
  rig.shared.set_nodes(2);
  rig.start_relay();
  rig.queue(1);
  rig.pass();
  REQUIRE(rig.main().mails.size() == 1);  // proven: several connections are allowed from now on
  rig.main().answer = [](const std::string& command) -> std::string {
    return command == "DATA" ? "STALL" : "";
  };
  rig.queue(9);
  rig.pass(10s);
  CHECK(rig.main().open == 2);
  rig.shared.set_nodes(1);
  rig.pass(10s);
  CHECK(rig.main().open == 4);
  rig.shared.set_nodes(9);
  rig.pass(1s);
  CHECK(rig.main().open == 4);  // none is dropped with a mail on it
  CHECK(
      rig.has_line("`connections: 4` is less than the 9 nodes that share the spool: each of them opens one"));
  rig.main().answer = nullptr;
}

TEST_CASE("sharing: a rate by the minute is divided by the nodes that are alive") {
  FleetRig rig;
  rig.settings.smarthosts[0].rates = {{30, RateUnit::minute}};
  rig.shared.set_nodes(3);
  rig.start_relay();
  rig.queue(40);
  rig.pass(3min);
  CHECK(rig.sent.size() <= 31);
  CHECK(rig.sent.size() >= 28);
  const std::size_t before = rig.sent.size();
  rig.shared.set_nodes(1);
  rig.pass(30s);
  CHECK(rig.sent.size() > before + 5);
}

TEST_CASE("sharing: a rate by the hour is one for all nodes, and mail that waits for it goes when it may") {
  FleetRig rig;
  rig.settings.smarthosts[0].rates = {{20, RateUnit::hour}};
  rig.start_relay();
  rig.queue(30);
  rig.pass(10s);
  CHECK(rig.sent.size() == 20);
  CHECK(rig.relay->report().smarthosts.at(0).trouble.starts_with(
      "the rate 20/h is used up by all nodes together"));
  rig.pass(50min);
  CHECK(rig.sent.size() == 20);
  rig.pass(11min + 36s);
  CHECK(rig.sent.size() == 30);
  CHECK(rig.relay->report().smarthosts.at(0).trouble.empty());
}

TEST_CASE("sharing: what one node has proven is proven for others that have it configured the same") {
  FleetRig rig;
  rig.settings.smarthosts[0].credentials = some_credentials();
  system::TemporaryDirectory directory{"hikyaku-fleet-"};
  io::Loop& loop = rig.loop;
  Proven other(directory.file("proven"));
  loop.run(other.note(loop, rig.settings.smarthosts[0]));
  bool is_same = false;
  SUBCASE("the same") { is_same = true; }
  SUBCASE("another password") { rig.settings.smarthosts[0].credentials = some_credentials("another"); }
  rig.start_relay();
  rig.pass(10s);
  CHECK_FALSE(rig.relay->report().smarthosts.at(0).is_proven);
  std::ifstream in(directory.file("proven"));
  rig.table.rows["proven"] = {++rig.table.last_version, std::string(std::istreambuf_iterator<char>(in), {})};
  CHECK(rig.table.rows["proven"].second.find("right") == std::string::npos);
  rig.pass(2min);
  CHECK(rig.relay->report().smarthosts.at(0).is_proven == is_same);
}

TEST_CASE("sharing: what this node proves the others find in the account, as a slow hash") {
  FleetRig rig;
  system::TemporaryDirectory directory{"hikyaku-fleet-"};
  rig.proven_file = directory.file("proven");
  rig.settings.smarthosts[0].credentials = some_credentials();
  rig.start_relay();
  rig.queue(1);
  rig.pass(10s);
  REQUIRE(rig.main().mails.size() == 1);
  const auto marks = parse_proven_file(rig.table.rows["proven"].second);
  REQUIRE(marks);
  REQUIRE(marks->contains("main"));
  CHECK(rig.loop.run(Proven::fits(rig.loop, rig.settings.smarthosts[0], marks->at("main"))));
}
