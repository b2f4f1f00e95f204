// SPDX-License-Identifier: MIT
// Who may decide about mail that another node has, and what is said to them. The fleet is a list; the relay is real.
#include "daemon/app/fleet_steering.h"

#include "tests/unit/relay/relay_rig.h"

using namespace hikyaku;
using namespace hikyaku::test;
using mail::Decided;
using mail::Decision;
using mail::MailId;

namespace {

constexpr control::Rights kAnyOperator{0, true, true};
constexpr control::Rights kAnna{1000, false, false};
constexpr MailId kHers{7}, kGone{8}, kNowhere{9}, kFree{10};

class ListedFleet final : public mail::Fleet {
 public:
  std::vector<Found> mails;
  std::vector<Decided> answers;  // of owners
  std::vector<MailId> asked, due;
  std::string asked_by;
  Obey obey;

  Task<Result<mail::FleetReport, mail::SourceError>> report() override { co_return mail::FleetReport{}; }
  Task<Result<std::vector<Found>, mail::SourceError>> find(std::vector<MailId> ids) override {
    std::vector<Found> found;
    for (const Found& mail : mails)
      if (std::ranges::find(ids, mail.id) != ids.end()) found.push_back(mail);
    co_return found;
  }
  Task<Result<std::vector<mail::QueueEntry>, mail::SourceError>> take(std::vector<MailId>) override {
    co_return std::vector<mail::QueueEntry>();  // all of it has just been a dead node's
  }
  Task<Result<std::size_t, mail::SourceError>> make_due(std::vector<MailId> ids) override {
    due = ids;
    co_return ids.size();
  }
  Task<Result<std::size_t, mail::SourceError>> make_all_due() override { co_return 3U; }
  Task<std::vector<Decided>> ask(std::vector<MailId> ids, Decision, std::string by) override {
    asked = std::move(ids);
    asked_by = std::move(by);
    co_return answers;
  }
  Task<void> ask_all_to_retry(std::string by) override {
    asked_by = std::move(by);
    co_return;
  }
  void serve(Obey its_obey) override { obey = std::move(its_obey); }
};

struct FleetRig : RelayRig {
  ListedFleet fleet;
  std::optional<app::FleetSteering> steering;

  FleetRig() {
    settings.queue.retry.first = 1h;
    start_relay();
    steering.emplace(fleet, *relay, *spool, log, "app1");
    fleet.mails = {
        {.id = kHers, .holder = {.node = "app2"}, .uid = 1000},
        {.id = kGone, .holder = {.node = "app3", .away_since = clock.wall(), .free_at = clock.wall() + 2min}},
        {.id = kFree, .holder = {}}};
  }
  Decided steer(MailId id, control::Rights rights) {
    std::vector<Decided> answers = {{.id = id, .result = Decided::Result::unknown}};
    loop.run(steering->settle(answers, {Decision::hold, "anna", rights}));
    return answers.front();
  }
  control::RetryReport retry(std::vector<MailId> ids, control::Rights rights) {
    control::RetryReport report{.retried = {}, .held = {}, .unknown = std::move(ids)};
    loop.run(steering->settle(report, rights, "anna"));
    return report;
  }
};

}  // namespace

TEST_CASE("fleet: an operator's decision goes to the node that has the mail, with who has made it") {
  FleetRig rig;
  rig.fleet.answers = {{.id = kHers, .result = Decided::Result::under_way}};
  CHECK(rig.steer(kHers, kAnyOperator).result == Decided::Result::under_way);
  CHECK(rig.fleet.asked == std::vector{kHers});
  CHECK(rig.fleet.asked_by == "anna at app1");
  rig.fleet.answers = {{.id = kHers, .result = Decided::Result::refused}};
  CHECK(rig.steer(kHers, kAnyOperator).why.starts_with("it is app2's, which is alive but has not answered"));
}

TEST_CASE("fleet: a user changes only mail that no other node has, and hears nothing of others' mail") {
  FleetRig rig;
  const Decided hers = rig.steer(kHers, kAnna);
  CHECK(hers.result == Decided::Result::refused);
  CHECK(hers.why.ends_with("only operators may do that"));
  CHECK(rig.steer(kHers, {1001, false, false}).result == Decided::Result::unknown);
  CHECK(rig.steer(kGone, kAnna).result == Decided::Result::unknown);
  CHECK(rig.retry({kHers}, {1001, false, false}).unknown == std::vector{kHers});
  CHECK(rig.fleet.asked.empty());
}

TEST_CASE(
    "fleet: mail of a node that is away, or was a moment ago, is left alone, and it is said until when") {
  FleetRig rig;
  const Decided gone = rig.steer(kGone, kAnyOperator);
  CHECK(gone.result == Decided::Result::refused);
  CHECK(gone.why.starts_with("it is app3's, which has not been heard of since"));
  CHECK(gone.why.ends_with(cat("from ", to_rfc3339(rig.clock.wall() + 2min), " on")));
  CHECK(rig.steer(kFree, kAnyOperator).why.starts_with("the node that had it has died a moment ago"));
  CHECK(rig.steer(kNowhere, kAnyOperator).result == Decided::Result::unknown);
}

TEST_CASE("fleet: a retry is the owner's, who tells, or makes free mail due for whoever takes it first") {
  FleetRig rig;
  rig.fleet.answers = {{.id = kHers}};
  auto report = rig.retry({kHers, kGone}, kAnyOperator);
  CHECK(report.elsewhere == std::vector{kHers});
  REQUIRE(report.refused.size() == 1);
  CHECK(report.refused.front().id == kGone);
  rig.fleet.answers = {{.id = kHers, .result = Decided::Result::unchanged}};
  CHECK(rig.retry({kHers}, kAnyOperator).held == std::vector{kHers});
  rig.loop.run(rig.steering->retry_known({kFree, kHers}, kAnyOperator, "anna"));
  CHECK(rig.fleet.due == std::vector{kFree});
  CHECK(rig.loop.run(rig.steering->retry_all("root")) == 3);
  CHECK(rig.fleet.asked_by == "root at app1");
}

TEST_CASE("fleet: what an operator at another node decides is done here, and logged with the name") {
  FleetRig rig;
  rig.main().answer = [](const std::string& command) {
    return command.starts_with("RCPT") ? "450 4.2.0 later" : "";
  };
  const MailId id = rig.send();
  rig.pass();
  auto answers = rig.loop.run(rig.fleet.obey({id, kNowhere}, Decision::hold, "root at app2"));
  REQUIRE(answers.size() == 2);
  CHECK(answers[0].result == Decided::Result::done);
  CHECK(answers[1].result == Decided::Result::unknown);
  auto held = rig.loop.run(rig.spool->load(id));
  REQUIRE(held);
  CHECK(held->progress.reason == "held by root at app2");
  answers = rig.loop.run(rig.fleet.obey({id}, Decision::retry, "root at app2"));
  CHECK(answers.front().result == Decided::Result::unchanged);
  rig.loop.run(rig.fleet.obey({id}, Decision::release, "root at app2"));
  rig.main().answer = [](const std::string&) { return ""; };
  rig.loop.run(rig.fleet.obey({}, Decision::retry, "root at app2"));
  rig.pass();
  CHECK(rig.main().mails.size() == 1);
}
