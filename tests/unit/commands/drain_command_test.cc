// SPDX-License-Identifier: MIT
// `hikyaku drain`, against the real socket and a daemon that is none.
#include "daemon/base/text.h"
#include "daemon/commands/commands.h"
#include "tests/unit/control/control_rig.h"

using namespace hikyaku;
using namespace hikyaku::commands;
using namespace hikyaku::control;
using namespace hikyaku::test;

namespace {

using DrainStage = relay::DrainReport::Stage;

struct DrainCommandRig : ControlRig {
  Ran drain(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"drain", "--socket", path};
    arguments.insert(arguments.end(), more.begin(), more.end());
    Captured captured(place.path());
    int exit = static_cast<int>(understand_command_line(std::move(arguments))());
    return {exit, captured.out(), captured.err()};
  }
};

}  // namespace

TEST_CASE("hikyaku drain: 0 only when the queue is empty") {
  DrainCommandRig rig;
  rig.daemon.drains = {relay::DrainReport{.left = 2}, relay::DrainReport{.left = 1},
                       relay::DrainReport{.stage = DrainStage::drained}};
  const Ran ran = rig.drain({"--to", "smtp://b.example"});
  CHECK(ran.exit == 0);
  CHECK(ran.out ==
        "the queue is empty; no mail is taken until hikyakud is started again, or `hikyaku drain --undo`\n");
  CHECK(ran.err.empty());
  REQUIRE(rig.daemon.drain_orders.size() == 3);
  CHECK(rig.daemon.drain_orders[0].to == "smtp://b.example");
  CHECK(rig.daemon.drain_orders[1].verb == DrainOrder::Verb::follow);
}

TEST_CASE("hikyaku drain: what is left is counted, what is held is named, and the exit code is 75") {
  DrainCommandRig rig;
  const auto id = rig.accept("content", "a@example.com", "b@example.net");
  mail::Progress held = deferral(1, {mail::RecipientProgress()});
  held.held = true;
  rig.record(id, held);
  rig.daemon.drains = {
      relay::DrainReport{.stage = DrainStage::left_over, .why = "nobody", .left = 3, .held = 1, .drops = 1}};
  const Ran ran = rig.drain();
  CHECK(ran.exit == 75);
  CHECK(ran.err.contains(cat("hikyaku drain: ", to_text(id), " is held: release or remove it\n")));
  CHECK(ran.err.contains("hikyaku drain: 1 mail of sendmail's in drop/, for when mail is taken again\n"));
  CHECK(
      ran.err.contains("nobody: 3 mails are left besides what is held (`hikyaku queue` says what for); the "
                       "daemon takes mail again\n"));
}

TEST_CASE("hikyaku status: a drain has a line of its own while no mail is taken") {
  DrainCommandRig rig;
  auto says = [&](DrainStage stage, const char* line) {
    rig.daemon.status_report.drain = relay::DrainReport{.stage = stage, .to = "b.example:25"};
    Captured captured(rig.place.path());
    CHECK(understand_command_line({"status", "--socket", rig.path})() == Exit::ok);
    return captured.out().contains(cat("\ndrain          ", line));
  };
  CHECK(says(DrainStage::trying, "trying everything once; no mail is taken\n"));
  CHECK(says(DrainStage::handing_over, "handing over to b.example:25; no mail is taken\n"));
  CHECK(says(DrainStage::drained, "the queue is empty, and no mail is taken\n"));
  CHECK_FALSE(says(DrainStage::left_over, ""));
}

TEST_CASE("hikyaku drain: after --timeout the drain is ended") {
  DrainCommandRig rig;
  rig.daemon.drains = {relay::DrainReport{.left = 2}};
  const Ran ran = rig.drain({"--timeout", "0"});
  CHECK(ran.exit == 75);
  CHECK(ran.err ==
        "hikyaku drain: not done within 0: 2 mails are left besides what is held (`hikyaku queue` says what "
        "for); the daemon takes mail "
        "again\n");
  CHECK(rig.daemon.drain_orders.back().verb == DrainOrder::Verb::end);
}

TEST_CASE("hikyaku drain: --undo, what is refused, and mistakes") {
  DrainCommandRig rig;
  rig.daemon.drains = {relay::DrainReport{.stage = DrainStage::left_over}};
  CHECK(rig.drain({"--undo"}).out == "the daemon takes mail again\n");
  CHECK(rig.daemon.drain_orders.back().verb == DrainOrder::Verb::end);
  rig.daemon.drain_orders.clear();
  CHECK(rig.drain({"--to", "mx:"}).exit == 64);
  CHECK(rig.drain({"--to", "relay2"}).exit == 64);
  CHECK(rig.drain({"--timeout", "soon"}).exit == 64);
  CHECK(rig.drain({"--undo", "--to", "smtp://b.example"}).exit == 64);
  CHECK(rig.daemon.drain_orders.empty());
  rig.daemon.drains = {std::unexpected("a drain is under way already")};
  const Ran refused = rig.drain();
  CHECK(refused.exit == 69);
  CHECK(refused.err == "hikyaku drain: a drain is under way already\n");
}
