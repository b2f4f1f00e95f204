// SPDX-License-Identifier: MIT
// What the operator decides about queued mail: held, released, removed, returned; and mail that is being sent.
#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>

#include "tests/unit/relay/relay_rig.h"

using namespace hikyaku;
using namespace hikyaku::relay;
using namespace hikyaku::test;

namespace {

constexpr Decision kEach[] = {Decision::hold, Decision::release, Decision::remove, Decision::bounce};

// A spool without memory for mail in transit while `is_crowded`.
class CrowdedSource final : public mail::MailSource {
 public:
  explicit CrowdedSource(mail::MailSource& source) : source_(source) {}
  bool is_crowded = false;
  std::vector<mail::QueueEntry> entries() const override { return source_.entries(); }
  Task<Result<std::shared_ptr<mail::MailRoom>, mail::SourceError>> make_room(
      mail::MailId id, mail::Patience patience) override {
    if (is_crowded) co_return fail(mail::SourceErrorKind::no_memory, "memory is used up");
    auto room = co_await source_.make_room(id, patience);
    co_return room;
  }
  Task<Result<mail::QueuedMail, mail::SourceError>> load(mail::MailId id) override {
    auto mail = co_await source_.load(id);
    co_return mail;
  }
  Result<std::unique_ptr<mail::ContentReader>, mail::SourceError> open(mail::MailId id) override {
    return source_.open(id);
  }
  Task<Result<mail::Recorded, mail::SourceError>> record(mail::MailId id, mail::Progress progress,
                                                         mail::MayGo may_go) override {
    auto recorded = co_await source_.record(id, std::move(progress), may_go);
    co_return recorded;
  }
  Task<Result<void, mail::SourceError>> finish(mail::MailId id) override {
    auto finished = co_await source_.finish(id);
    co_return finished;
  }

 private:
  mail::MailSource& source_;
};

// Everything is refused for now while `is_busy`, so that mail waits.
struct SteeringRig : RelayRig {
  bool is_busy = true;
  CrowdedSource crowded{*spool};

  SteeringRig() {
    source = &crowded;
    start_relay();
    send();
    pass();  // the smarthost is proven
    main().mails.clear();
    main().answer = [this](const std::string& command) {
      return is_busy && command.starts_with("RCPT") ? "450 4.2.0 later" : "";
    };
  }
  Decided decide(mail::MailId id, Decision decision) { return decide(std::vector{id}, decision).front(); }
  std::vector<Decided> decide(std::vector<mail::MailId> ids, Decision decision) {
    return loop.run(relay->steering().apply(std::move(ids), {.decision = decision, .by = "anna"}));
  }
  Decided::Result result_of(mail::MailId id, Decision decision) { return decide(id, decision).result; }
  mail::MailId send_and_wait() {
    auto id = send();
    pass();
    return id;
  }
  bool is_queued(mail::MailId id) { return loop.run(spool->load(id)).has_value(); }
  mail::Progress progress(mail::MailId id) {
    auto mail = loop.run(spool->load(id));
    REQUIRE(mail);
    return mail->progress;
  }
  std::size_t held() { return relay->report().held; }
};

}  // namespace

TEST_CASE("steering: a held mail is not sent, however long it is, until it is released; then at once") {
  SteeringRig rig;
  const auto id = rig.send_and_wait();
  CHECK(rig.result_of(id, Decision::hold) == Decided::Result::done);
  CHECK(rig.progress(id).held);
  CHECK(rig.progress(id).reason == "held by anna");
  CHECK(rig.held() == 1);
  CHECK(rig.relay->queued() == 1);
  rig.is_busy = false;
  rig.relay->retry_all();
  rig.pass(6 * 24h);
  CHECK(rig.main().mails.empty());
  CHECK(rig.held() == 1);
  CHECK(rig.relay->report().deferred == 0);
  CHECK(rig.result_of(id, Decision::hold) == Decided::Result::unchanged);
  CHECK(rig.result_of(id, Decision::release) == Decided::Result::done);
  rig.pass();
  CHECK(rig.main().mails.size() == 1);
  CHECK(rig.relay->queued() == 0);
  CHECK(rig.held() == 0);
  CHECK(rig.lines_with("held id=" + to_text(id) + " from=<app@example.com> to=<user@example.net> by=anna") ==
        1);
  CHECK(rig.lines_with("released id=" + to_text(id)) == 1);
}

TEST_CASE("steering: a mail that was held and released before its time came is sent once") {
  SteeringRig rig;
  const auto id = rig.send_and_wait();
  for (int i = 0; i < 3; ++i) {
    CHECK(rig.result_of(id, Decision::hold) == Decided::Result::done);
    CHECK(rig.result_of(id, Decision::release) == Decided::Result::done);
    rig.pass();
  }
  CHECK(rig.relay->queued() == 1);
  const auto tried = rig.progress(id).attempts;
  rig.pass(59min);  // by its own schedule, not twice as often
  CHECK(rig.progress(id).attempts - tried <= 7);
  rig.is_busy = false;
  rig.pass(2h);
  CHECK(rig.main().mails.size() == 1);
}

TEST_CASE("steering: a held mail is held after a restart, and can be released then") {
  SteeringRig rig;
  const auto id = rig.send_and_wait();
  CHECK(rig.result_of(id, Decision::hold) == Decided::Result::done);
  rig.stop_relay();
  rig.is_busy = false;
  rig.start_relay();
  rig.pass(24h);
  CHECK(rig.held() == 1);
  CHECK(rig.main().mails.empty());
  CHECK(rig.result_of(id, Decision::release) == Decided::Result::done);
  rig.pass();
  CHECK(rig.main().mails.size() == 1);
  CHECK(rig.relay->queued() == 0);
}

TEST_CASE("steering: a removed mail has ended, without a notice, and nothing is left of it in the counts") {
  SteeringRig rig;
  const auto waits = rig.send_and_wait();
  const auto held = rig.send_and_wait();
  CHECK(rig.result_of(held, Decision::hold) == Decided::Result::done);
  const auto other = rig.send_and_wait();
  CHECK(rig.relay->queued() == 3);
  for (auto id : {waits, held}) {
    CHECK(rig.result_of(id, Decision::remove) == Decided::Result::done);
    CHECK_FALSE(rig.is_queued(id));
    CHECK(rig.result_of(id, Decision::remove) == Decided::Result::unknown);
    CHECK(rig.lines_with("removed id=" + to_text(id) + " from=<app@example.com>") == 1);
  }
  CHECK(rig.relay->queued() == 1);
  rig.pass();
  CHECK(rig.relay->report().deferred == 1);
  CHECK(rig.held() == 0);
  rig.is_busy = false;
  rig.relay->retry_all();
  rig.pass();
  REQUIRE(rig.main().mails.size() == 1);
  CHECK(rig.relay->queued() == 0);
  CHECK_FALSE(rig.is_queued(other));
}

TEST_CASE("steering: those who follow a mail learn what was decided about it") {
  SteeringRig rig;
  const auto id = rig.send_and_wait();
  const auto outcome = [&] { return rig.relay->outcomes().find(id).value_or(MailOutcome{}); };
  CHECK_FALSE(outcome().is_held);
  rig.decide(id, Decision::hold);
  CHECK(outcome().is_held);
  CHECK(outcome().reason == "held by anna");
  rig.decide(id, Decision::release);
  CHECK_FALSE(outcome().is_held);
  CHECK(outcome().next_attempt == rig.clock.wall());
  rig.pass();
  rig.decide(id, Decision::remove);
  CHECK(outcome().is_over);
}

TEST_CASE("steering: mail behind a paused smarthost is removed and held in its place") {
  SteeringRig rig;
  rig.is_busy = false;
  rig.main().is_down = rig.main().breaks_off = true;
  std::vector<mail::MailId> ids;
  for (int i = 0; i < 6; ++i) ids.push_back(rig.send());
  rig.pass(1min);
  CHECK(rig.relay->queued() == 6);
  for (const Decided& one : rig.decide({ids[0], ids[1]}, Decision::remove))
    CHECK(one.result == Decided::Result::done);
  for (const Decided& one : rig.decide({ids[2], ids[3]}, Decision::hold))
    CHECK(one.result == Decided::Result::done);
  CHECK(rig.decide(ids[3], Decision::release).result == Decided::Result::done);
  CHECK(rig.relay->queued() == 4);
  CHECK(rig.held() == 1);
  rig.main().is_down = rig.main().breaks_off = false;
  rig.relay->retry_all();
  rig.pass(10min);
  CHECK(rig.main().mails.size() == 3);  // 3, 4, 5
  CHECK(rig.relay->queued() == 1);
  CHECK(rig.held() == 1);
}

TEST_CASE("steering: a returned mail reaches its sender as a notice, and ends") {
  SteeringRig rig;
  const auto id = rig.send_and_wait();
  const auto held = rig.send_and_wait();
  CHECK(rig.result_of(held, Decision::hold) == Decided::Result::done);
  rig.is_busy = false;
  for (auto one : {id, held}) {
    CHECK(rig.result_of(one, Decision::bounce) == Decided::Result::done);
    CHECK_FALSE(rig.is_queued(one));
  }
  rig.pass();
  REQUIRE(rig.main().mails.size() == 2);
  for (const ReceivedMail& notice : rig.main().mails) {
    CHECK(notice.recipients == std::vector<std::string>{"app@example.com"});
    CHECK(notice.content.find("has returned the message unsent") != std::string::npos);
  }
  CHECK(rig.relay->queued() == 0);
  CHECK(rig.lines_with("has returned the message unsent (anna)") == 2);
}

TEST_CASE("steering: a notice has no sender to return to, and stays as it is; it can be removed") {
  SteeringRig rig;
  const auto id = rig.send({"user@example.net"}, "");
  rig.pass();
  const Decided answer = rig.decide(id, Decision::bounce);
  CHECK(answer.result == Decided::Result::refused);
  CHECK(answer.why.find("remove it instead") != std::string::npos);
  CHECK(rig.is_queued(id));
  CHECK(rig.result_of(id, Decision::remove) == Decided::Result::done);
  CHECK(rig.relay->queued() == 0);
}

TEST_CASE("steering: a refused mail from <> that is held is tried again when it is released") {
  SteeringRig rig;
  rig.main().answer = [&rig](const std::string& command) {
    return rig.is_busy && command.starts_with("RCPT") ? "550 5.1.1 no such user" : "";
  };
  const auto id = rig.send({"user@example.net"}, "");
  rig.pass();
  CHECK(rig.held() == 1);
  rig.is_busy = false;
  CHECK(rig.result_of(id, Decision::release) == Decided::Result::done);
  rig.pass();
  CHECK(rig.main().mails.size() == 1);
  CHECK(rig.relay->queued() == 0);
}

TEST_CASE("steering: a mail that is being sent is left alone") {
  SteeringRig rig;
  rig.is_busy = false;
  rig.main().latency = 10s;
  const auto id = rig.send();
  rig.pass(25s);
  for (Decision decision : kEach) CHECK(rig.result_of(id, decision) == Decided::Result::under_way);
  rig.pass(5min);
  CHECK(rig.main().mails.size() == 1);
  CHECK(rig.relay->queued() == 0);
}

TEST_CASE("steering: who may not change a mail does not hear of it, whether it waits or is being sent") {
  SteeringRig rig;
  const auto waits = rig.send_and_wait();
  auto nobody = [](const std::optional<std::uint32_t>&) { return false; };
  for (Decision decision : kEach) {
    auto answers = rig.loop.run(rig.relay->steering().apply({waits}, {decision, "eve", nobody}));
    CHECK(answers.front().result == Decided::Result::unknown);
  }
  CHECK(rig.is_queued(waits));
  CHECK_FALSE(rig.progress(waits).held);
  CHECK(rig.relay->queued() == 1);
}

TEST_CASE("steering: without memory for it a mail stays as it is, and that is said") {
  SteeringRig rig;
  const auto id = rig.send_and_wait();
  rig.crowded.is_crowded = true;
  for (Decision decision : kEach) {
    const Decided answer = rig.decide(id, decision);
    CHECK(answer.result == Decided::Result::refused);
    CHECK(answer.why == "memory is used up");
  }
  rig.crowded.is_crowded = false;
  CHECK_FALSE(rig.progress(id).held);
  CHECK(rig.result_of(id, Decision::remove) == Decided::Result::done);
}

// A seeded history: each mail is delivered, returned, removed, held or queued, once.
TEST_CASE("steering: decisions at any time lose and double nothing") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    SteeringRig rig;
    std::mt19937 random(seed);
    std::vector<mail::MailId> ids;
    std::set<mail::MailId> removed;
    std::set<mail::MailId> returned;
    rig.main().latency = Duration(std::chrono::milliseconds(random() % 50));
    for (int step = 0; step < 200; ++step) {
      rig.is_busy = random() % 2 == 0;
      if (ids.size() < 40 && random() % 3 == 0)
        ids.push_back(rig.send({cat("u", std::to_string(ids.size()), "@example.net")}));
      if (!ids.empty() && random() % 2 == 0) {
        const mail::MailId id = ids[random() % ids.size()];
        const Decision decision = kEach[random() % 4];
        const bool is_done = rig.result_of(id, decision) == Decided::Result::done;
        if (is_done && decision == Decision::remove) CHECK(removed.insert(id).second);
        if (is_done && decision == Decision::bounce) CHECK(returned.insert(id).second);
      }
      if (random() % 8 == 0) rig.relay->retry_all();
      rig.pass(Duration(std::chrono::milliseconds(random() % 200)));
    }
    rig.is_busy = false;
    for (mail::MailId id : ids) (void)rig.decide(id, Decision::release);
    rig.pass(24h);
    CHECK(rig.relay->queued() == 0);
    std::map<std::string, int> arrived;
    for (const ReceivedMail& mail : rig.main().mails) ++arrived[mail.recipients.front()];
    CHECK(arrived["app@example.com"] == static_cast<int>(returned.size()));
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const bool has_ended = removed.contains(ids[i]) || returned.contains(ids[i]);
      CHECK(arrived[cat("u", std::to_string(i), "@example.net")] == (has_ended ? 0 : 1));
    }
  }
}
