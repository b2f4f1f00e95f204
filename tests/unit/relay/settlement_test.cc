// SPDX-License-Identifier: MIT
#include "daemon/relay/settlement.h"

#include <doctest/doctest.h>

#include "daemon/relay/route.h"
#include "tests/unit/relay/relay_rig.h"

using namespace hikyaku;
using namespace hikyaku::test;
using namespace hikyaku::relay;
using smtpc::Action;

namespace {

mail::QueuedMail mail_to(std::size_t recipients) {
  mail::QueuedMail mail;
  mail.id = {7};
  mail.envelope.sender = "app@example.com";
  for (std::size_t i = 0; i < recipients; ++i)
    mail.envelope.recipients.push_back({"user" + std::to_string(i) + "@example.net", {}, {}});
  mail.progress.recipients.resize(recipients);
  return mail;
}

smtpc::Refusal refusal(Action action, const std::string& reply) {
  smtpc::Refusal refusal;
  refusal.verdict.action = action;
  refusal.failure.kind = mail::FailureKind::recipient_refused;
  refusal.failure.stage = mail::Stage::rcpt;
  if (!reply.empty()) refusal.failure.reply = mail::parse_reply(reply + "\r\n");
  return refusal;
}

smtpc::TransactionResult delivered_but(std::vector<smtpc::RecipientOutcome> outcomes) {
  smtpc::TransactionResult result;
  result.recipients = std::move(outcomes);
  result.final_reply = mail::parse_reply("250 2.0.0 Ok: queued\r\n");
  return result;
}

Settlement settled(const mail::QueuedMail& mail, const smtpc::TransactionResult& result) {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < mail.envelope.recipients.size(); ++i) all.push_back(i);
  return settle(mail, all, result, "main", {}, 0.5);
}

}  // namespace

TEST_CASE("settlement: delivered to all is the end") {
  auto outcome = settled(mail_to(2), delivered_but({{0, {}}, {1, {}}}));
  CHECK(outcome.is_over);
  CHECK(outcome.failed.empty());
  CHECK(outcome.progress.recipients[1].last_reply == "250 2.0.0 Ok: queued");
}

TEST_CASE("settlement: each recipient's outcome is its own") {
  auto outcome =
      settled(mail_to(3), delivered_but({{0, {}},
                                         {1, refusal(Action::defer_recipient, "450 4.2.1 busy")},
                                         {2, refusal(Action::fail_recipient, "550 5.1.1 unknown")}}));
  CHECK_FALSE(outcome.is_over);
  CHECK(outcome.progress.recipients[0].state == mail::RecipientState::delivered);
  CHECK(outcome.progress.recipients[1].state == mail::RecipientState::pending);
  CHECK(outcome.progress.recipients[2].state == mail::RecipientState::failed);
  REQUIRE(outcome.failed.size() == 1);
  CHECK(outcome.failed[0].recipient.address == "user2@example.net");
  CHECK(outcome.progress.attempts == 1);
  CHECK(outcome.progress.next_wait > Duration{0});
  CHECK(outcome.progress.smarthost == "main");
}

TEST_CASE("settlement: what may be the smarthost's trouble is an attempt of the mail, and never its end") {
  auto mail = mail_to(1);
  mail.progress.waited = 1000h;
  auto outcome =
      settled(mail, delivered_but({{0, refusal(Action::weigh_evidence, "550 5.7.0 rejected as spam")}}));
  CHECK(outcome.counts);
  CHECK_FALSE(outcome.is_over);
  CHECK(outcome.failed.empty());
  CHECK(outcome.progress.attempts == 1);
  CHECK(outcome.progress.next_wait > Duration{0});
  CHECK(outcome.progress.recipients[0].state == mail::RecipientState::pending);
}

TEST_CASE("settlement: a smarthost's trouble is no attempt of the mail, however old it is") {
  auto mail = mail_to(1);
  mail.progress.waited = 1000h;
  smtpc::TransactionResult result;
  result.rest = refusal(Action::pause_lane, "530 5.7.0 Authentication required");
  auto outcome = settled(mail, result);
  CHECK_FALSE(outcome.counts);
  CHECK(outcome.failed.empty());
  CHECK(outcome.progress.attempts == 0);
  CHECK(outcome.progress.next_wait == Duration{0});
}

TEST_CASE("settlement: after the lifetime only a reply about this mail ends it") {
  auto mail = mail_to(1);
  mail.progress.waited = 121h;
  smtpc::TransactionResult broken;
  broken.rest = refusal(Action::abort_attempt, "");
  CHECK(settled(mail, broken).failed.empty());
  smtpc::TransactionResult refused;
  refused.rest = refusal(Action::defer_message, "451 4.3.0 later");
  CHECK(settled(mail, refused).failed.size() == 1);
  CHECK(settled(mail, refused).is_over);
  mail.progress.waited = 119h;
  CHECK(settled(mail, refused).failed.empty());
}

TEST_CASE("settlement: a recipient nobody is to hear of does not use up the one delay notice") {
  auto mail = mail_to(2);
  mail.envelope.recipients[0].notify.never = true;
  mail.progress.waited = 5h;
  smtpc::TransactionResult later;
  later.rest = refusal(Action::defer_message, "451 4.3.0 later");
  auto outcome = settle(mail, {0}, later, "main", {}, 0.5);
  CHECK(outcome.delayed.empty());
  CHECK_FALSE(outcome.progress.delay_noticed);
  mail.progress = outcome.progress;
  outcome = settle(mail, {0, 1}, later, "main", {}, 0.5);
  REQUIRE(outcome.delayed.size() == 1);
  CHECK(outcome.delayed[0].recipient.address == "user1@example.net");
  CHECK(outcome.progress.delay_noticed);
}

TEST_CASE("settlement: a failed mail from <> is held with its reason, and no notice is sent") {
  auto mail = mail_to(1);
  mail.envelope.sender.clear();
  smtpc::TransactionResult result;
  result.rest = refusal(Action::fail_message, "554 5.6.0 no");
  auto outcome = settled(mail, result);
  CHECK(outcome.progress.held);
  CHECK_FALSE(outcome.is_over);
  CHECK(outcome.failed.empty());
  CHECK_FALSE(outcome.progress.reason.empty());
}

TEST_CASE(
    "settlement: a mail from <> that failed for one of its recipients before is held when the rest has it") {
  auto mail = mail_to(2);
  mail.envelope.sender.clear();
  mail.progress.recipients[0] = {mail::RecipientState::failed, "550 5.1.1 unknown"};
  smtpc::TransactionResult result;
  result.recipients.push_back({1, {}});
  auto outcome = settle(mail, {1}, result, "main", {}, 0.5);
  CHECK(outcome.progress.held);
  CHECK_FALSE(outcome.is_over);
}

TEST_CASE("settlement: NOTIFY=NEVER ends a mail without a notice") {
  auto mail = mail_to(1);
  mail.envelope.recipients[0].notify.never = true;
  smtpc::TransactionResult result;
  result.rest = refusal(Action::fail_message, "554 5.6.0 no");
  auto outcome = settled(mail, result);
  CHECK(outcome.failed.empty());
  CHECK(outcome.is_over);
}

TEST_CASE("settlement: where the smarthost has no DSN we report success to senders who asked for it") {
  auto mail = mail_to(4);
  mail.envelope.recipients[0].notify.success = true;
  mail.envelope.recipients[2].notify.failure = true;
  mail.envelope.recipients[3].notify.success = true;
  auto result =
      delivered_but({{0, {}}, {1, {}}, {2, {}}, {3, refusal(Action::defer_recipient, "450 4.2.1 busy")}});
  CHECK(settled(mail, result).relayed.empty());  // it has DSN, and knows what was asked for
  result.taken_without_dsn = "smtp.example.com";
  auto outcome = settled(mail, result);
  REQUIRE(outcome.relayed.size() == 1);
  CHECK(outcome.relayed[0].recipient.address == "user0@example.net");
  CHECK(outcome.relayed[0].failure.host == "smtp.example.com");
  REQUIRE(outcome.relayed[0].failure.reply);
  CHECK(to_text(*outcome.relayed[0].failure.reply) == "250 2.0.0 Ok: queued");
  CHECK(outcome.progress.recipients[0].owes_notice);
  CHECK_FALSE(outcome.progress.recipients[1].owes_notice);
  mail.envelope.sender.clear();
  CHECK(settled(mail, result).relayed.empty());
  CHECK_FALSE(settled(mail, result).progress.owes_notice());
}

TEST_CASE("settlement: a delay is announced once, when it is due") {
  auto mail = mail_to(1);
  smtpc::TransactionResult result;
  result.rest = refusal(Action::defer_message, "451 4.3.0 later");
  CHECK(settled(mail, result).delayed.empty());
  mail.progress.waited = 5h;
  auto outcome = settled(mail, result);
  CHECK(outcome.delayed.size() == 1);
  CHECK(outcome.progress.delay_noticed);
  mail.progress.delay_noticed = true;
  CHECK(settled(mail, result).delayed.empty());
}

TEST_CASE("route clock: time counts while the route is up, at most an hour a step") {
  Instant start{1h};
  RouteClock clock(start);
  clock.update(start + 30min, true);
  CHECK(clock.time() == Duration(30min));
  clock.update(start + 40min, false);
  CHECK(clock.time() == Duration(40min));
  clock.update(start + 24h, true);
  CHECK(clock.time() == Duration(40min));
  clock.update(start + 48h, true);
  CHECK(clock.time() == Duration(100min));
}

TEST_CASE(
    "settlement: while a notice cannot be stored no recipient has failed, and a delivered one stays "
    "delivered") {
  mail::QueuedMail mail = mail_to(3);
  auto outcome = settled(mail, delivered_but({{0, {}},
                                              {1, refusal(Action::fail_recipient, "550 5.1.1 unknown")},
                                              {2, refusal(Action::fail_recipient, "550 5.1.1 unknown")}}));
  REQUIRE(outcome.is_over);
  put_off_notices(outcome, mail.progress, "no room", {}, 0.5);
  CHECK_FALSE(outcome.is_over);
  CHECK(outcome.failed.empty());
  CHECK(outcome.progress.recipients[0].state == mail::RecipientState::delivered);
  CHECK(outcome.progress.recipients[1].state == mail::RecipientState::pending);
  CHECK(outcome.progress.recipients[1].last_reply == "550 5.1.1 unknown");
  CHECK(outcome.progress.recipients[2].state == mail::RecipientState::pending);
  CHECK(outcome.progress.next_wait > Duration{0});
}
