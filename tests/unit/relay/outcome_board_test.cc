// SPDX-License-Identifier: MIT
#include "daemon/relay/outcome_board.h"

#include <doctest/doctest.h>

#include "daemon/io/loop.h"
#include "daemon/io/nursery.h"

using namespace hikyaku;
using namespace hikyaku::relay;
using mail::RecipientState;

namespace {

mail::MailId numbered(std::uint64_t value) { return mail::MailId{value}; }

MailOutcome some(std::uint64_t number, std::vector<RecipientState> states, std::string reply = "250 ok") {
  MailOutcome outcome;
  outcome.id = numbered(number);
  for (RecipientState state : states) outcome.recipients.push_back({"a@example.com", {state, reply}});
  return outcome;
}

struct BoardRig {
  ManualClock clock;
  io::Loop loop{clock};
};

}  // namespace

TEST_CASE("outcomes: the newest word about a mail is kept") {
  BoardRig rig;
  OutcomeBoard board(rig.loop);
  CHECK_FALSE(board.find(numbered(1)));
  board.note(some(1, {RecipientState::pending}, "451 no"));
  board.note(some(2, {RecipientState::failed}));
  board.note(some(1, {RecipientState::delivered}));
  CHECK(board.size() == 2);
  CHECK(board.find(numbered(1)) == some(1, {RecipientState::delivered}));
  CHECK(board.find(numbered(2))->is_settled());
}

TEST_CASE("outcomes: memory is bounded, the oldest is dropped first, and a giant one drops no other") {
  BoardRig rig;
  OutcomeBoard board(rig.loop, 20'000);
  for (std::uint64_t i = 0; i < 1000; ++i) board.note(some(i, {RecipientState::delivered}));
  CHECK(board.size() > 5);
  CHECK(board.size() < 100);
  CHECK(board.find(numbered(999)));
  CHECK_FALSE(board.find(numbered(0)));
  auto size = board.size();
  board.note(some(1000, {RecipientState::delivered}, std::string(6000, 'x')));
  CHECK_FALSE(board.find(numbered(1000)));
  CHECK(board.size() == size);
}

TEST_CASE("outcomes: a waiting caller gets the outcome of that mail alone, even a giant one") {
  BoardRig rig;
  OutcomeBoard board(rig.loop, 20'000);
  io::Nursery nursery(rig.loop);
  std::vector<std::optional<MailOutcome>> heard;
  auto wait = [](OutcomeBoard& from, std::uint64_t number, auto& into, io::Until until) -> Task<void> {
    auto outcome = co_await from.next(numbered(number), until);
    into.push_back(std::move(outcome));
  };
  nursery.spawn(wait(board, 1, heard, {}));
  nursery.spawn(wait(board, 1, heard, {}));
  nursery.spawn(wait(board, 2, heard, rig.loop.within(5s)));
  auto giant = some(1, {RecipientState::delivered}, std::string(30'000, 'x'));
  board.note(giant);
  board.note(some(3, {RecipientState::delivered}));
  rig.loop.run(nursery.drained({}));
  REQUIRE(heard.size() == 3);
  CHECK(heard[0] == giant);
  CHECK(heard[1] == giant);
  CHECK_FALSE(heard[2]);
}

TEST_CASE(
    "outcomes: mails that failed are remembered for a day, each user's own, whatever else has happened "
    "since") {
  BoardRig rig;
  OutcomeBoard board(rig.loop, 2000);
  auto failed = [](std::uint64_t number, std::uint32_t uid) {
    auto outcome =
        some(number, {RecipientState::delivered, RecipientState::failed, RecipientState::failed}, "550 no");
    outcome.is_over = true;
    outcome.uid = uid;
    outcome.recipients[1].address = "lost@example.com";
    return outcome;
  };
  board.note(failed(1, 1000));
  board.note(failed(2, 1001));
  for (std::uint64_t i = 10; i < 100; ++i) board.note(some(i, {RecipientState::delivered}));
  CHECK_FALSE(board.find(numbered(1)));  // pushed out, and yet
  CHECK(board.failed() == 2);
  REQUIRE(board.failed(1000).size() == 1);
  CHECK(board.failed(1000)[0].id == numbered(1));
  CHECK(board.failed(1000)[0].recipient == "lost@example.com");
  CHECK(board.failed(1000)[0].last_reply == "550 no");
  CHECK(board.failed(1000)[0].more == 1);
  CHECK(board.failed(1002).empty());
  CHECK(board.failed(std::nullopt)[0].id == numbered(2));  // the newest first
  rig.clock.advance(23h);
  CHECK(board.failed() == 2);
  rig.clock.advance(1h);
  CHECK(board.failed() == 0);
  CHECK(board.failed(1000).empty());
}

TEST_CASE("outcomes: a user with many failed mails drops only their own, and memory stays bounded") {
  BoardRig rig;
  OutcomeBoard board(rig.loop, 2000);
  auto fail_one = [&](std::uint64_t number, std::uint32_t uid) {
    auto outcome = some(number, {RecipientState::failed}, std::string(3000, 'x'));
    outcome.is_over = true;
    outcome.uid = uid;
    board.note(outcome);
  };
  fail_one(1, 1);
  for (std::uint64_t i = 2; i < 500; ++i) fail_one(i, 2);
  CHECK(board.failed(1).size() == 1);
  CHECK(board.failed(2).size() == 100);
  CHECK(board.failed(2)[0].id == numbered(499));
  CHECK(board.failed(2)[0].last_reply.size() == 500);
  for (std::uint32_t uid = 10; uid < 2000; ++uid) fail_one(1000 + uid, uid);
  CHECK(board.failed() == 1000);
}

TEST_CASE("outcomes: a mail's state becomes an outcome") {
  mail::QueuedMail mail;
  mail.id = numbered(7);
  mail.envelope.uid = 1000;
  mail.envelope.recipients.resize(2);
  mail.envelope.recipients[0].address = "x@example.net";
  mail.envelope.recipients[1].address = "y@example.net";
  mail.progress.recipients.resize(2);
  CHECK_FALSE(outcome_of(mail).is_settled());
  mail::Progress now = mail.progress;
  now.recipients[0] = {RecipientState::delivered, "250 ok"};
  now.attempts = 2;
  now.reason = "why";
  CHECK_FALSE(outcome_of(mail, now, false).is_settled());
  now.recipients[1] = {RecipientState::failed, "550 no"};
  auto outcome = outcome_of(mail, now, true);
  CHECK(outcome.is_settled());
  CHECK(outcome.is_over);
  CHECK(outcome.uid == 1000);
  CHECK(outcome.attempts == 2);
  CHECK(outcome.reason == "why");
  CHECK(outcome.recipients[1].address == "y@example.net");
  CHECK(outcome.recipients[1].progress.last_reply == "550 no");
}
