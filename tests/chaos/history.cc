// SPDX-License-Identifier: MIT
#include "tests/chaos/history.h"

#include <algorithm>
#include <set>

#include "daemon/base/text.h"

namespace hikyaku::test {
namespace {

constexpr int kEvents = 30;
constexpr Duration kToDrain = 3h;  // the longest wait of a mail, of a log-in, and some

// A smarthost that never takes mail for them, whatever else it does.
constexpr std::string_view kRefused = "no";

std::optional<Reaction> refusal(Moment moment, const std::string&, const std::string& recipient) {
  if (moment != Moment::rcpt || !recipient.starts_with(kRefused)) return std::nullopt;
  return Reaction{.answer = Answer::never};
}

std::string some_line(Dice& dice) {
  constexpr std::string_view kStarts[] = {".", "..", ".\r\n.", "", "From ", "MAIL FROM:<x@y>", "-"};
  std::string line(kStarts[dice.below(std::size(kStarts))]);
  return line + std::string(dice.below(90), static_cast<char>('a' + dice.below(26))) + "\r\n";
}

// Mostly of a few lines, some of more than travels at once.
std::string some_content(std::size_t number, Dice& dice) {
  std::string content = cat("Subject: ", std::to_string(number), "\r\n\r\n");
  std::uint64_t lines = dice.chance(5) ? 2500 : dice.below(60);
  for (std::uint64_t i = 0; i < lines; ++i) content += some_line(dice);
  return content;
}

}  // namespace

History::History(std::uint64_t seed) : rig_(seed), dice_(seed ^ 0x5eed) {
  ChaosSmarthost& host = rig_.host;
  host.varies_offer = true;
  host.wants_login = dice_.chance(25);
  host.whim = refusal;
  mail::Smarthost& settings = rig_.settings.smarthosts.front();
  if (host.wants_login) settings.credentials = some_credentials();
  settings.messages_per_connection = dice_.chance(20) ? 2 : 1000;
}

std::vector<std::string> History::play() {
  rig_.start_relay();
  suffer();
  if (dice_.chance(50)) inspect();
  recover();
  return std::move(findings_);
}

void History::suffer() {
  if (dice_.chance(70)) sent_.push_back(rig_.prove());
  rig_.host.odds = some_odds(dice_);
  if (dice_.chance(30)) rig_.set_slowness(static_cast<unsigned>(dice_.below(30)));
  if (dice_.chance(20)) rig_.host.on_group = dice_.chance(50) ? OnGroup::hangs_up : OnGroup::forgets;
  for (int i = 0; i < kEvents; ++i) something_happens();
  rig_.pass(std::chrono::minutes(dice_.below(12 * 60)));
}

// In the midst of it, with everything that is in the spool looked at, and as another process goes on.
void History::inspect() {
  rig_.stop_relay(dice_.chance(50) ? 20min : 1s);
  audit("in trouble");
  rig_.restart();
  rig_.start_relay();
}

// Never at the very microsecond at which something of the dialogue is due.
void History::something_happens() {
  std::uint64_t what = dice_.below(100);
  if (what < 60) send();
  if (what < 15) {  // mail that is being sent
    rig_.pass(std::chrono::milliseconds(dice_.below(2000)) + 3us);
    steer();
  }
  if (what == 60) reload();
  if (what == 61) rig_.restart_all(dice_.chance(50) ? 20min : 1s);
  if (what == 62) rig_.host.odds = some_odds(dice_);
  if (what == 63) rig_.host.is_down = !rig_.host.is_down;
  if (what >= 64 && what < 78) steer();
  if (what == 78) retry();
  if (dice_.chance(70)) rig_.pass(std::chrono::seconds(dice_.below(1200)) + 3us);
}

// What the old lane has under way goes on beside the new one.
void History::reload() {
  rig_.reload();
  ++lanes_;
}

// The newest are those that are being sent.
mail::MailId History::some_mail() {
  const std::size_t among = dice_.chance(60) ? std::min<std::size_t>(sent_.size(), 4) : sent_.size();
  return sent_[sent_.size() - 1 - dice_.below(among)].id;
}

// Several mails at once, whatever they are about at the moment.
void History::steer() {
  constexpr relay::Decision kEach[] = {relay::Decision::hold, relay::Decision::hold, relay::Decision::release,
                                       relay::Decision::remove, relay::Decision::bounce};
  std::set<mail::MailId> ids;
  for (std::uint64_t i = 0; !sent_.empty() && i <= dice_.below(3); ++i) ids.insert(some_mail());
  decide(kEach[dice_.below(std::size(kEach))], {ids.begin(), ids.end()});
}

void History::decide(relay::Decision decision, std::vector<mail::MailId> ids) {
  for (const relay::Decided& answer :
       rig_.loop.run(rig_.relay->steering().apply(std::move(ids), {.decision = decision, .by = "anna"}))) {
    ++decisions_[answer.result];
    if (!orders_.note(decision, answer, rig_.host.ledger().tick()))
      findings_.push_back(cat("decided about once more: ", to_text(answer.id)));
  }
}

void History::retry() {
  if (dice_.chance(50) || sent_.empty())
    rig_.relay->retry_all();
  else
    rig_.relay->retry({some_mail()});
}

void History::send() {
  std::string number = std::to_string(sent_.size());
  std::vector<std::string> recipients;
  for (std::uint64_t i = 0; i <= dice_.below(3); ++i)
    recipients.push_back(
        cat(dice_.chance(15) ? kRefused : "to", std::to_string(i), ".", number, "@example.net"));
  std::string sender = dice_.chance(10) ? "" : cat("s", number, "@example.com");
  sent_.push_back(rig_.send(std::move(sender), std::move(recipients), some_content(sent_.size(), dice_)));
}

void History::recover() {
  rig_.host.odds = {};
  rig_.host.is_down = false;
  rig_.set_slowness(0);
  rig_.host.on_group = OnGroup::takes;
  decide(relay::Decision::release, orders_.held());
  rig_.pass(kToDrain);
  rig_.stop_relay(1s);
  audit("at the end");
  check_drained();
}

void History::audit(std::string_view when) {
  std::vector<Spooled> there = spooled();
  for (std::string& finding : Audit(sent_, rig_.host.ledger(), there, orders_).findings())
    findings_.push_back(cat(when, ": ", std::move(finding)));
  if (rig_.connector.most_open() > rig_.settings.smarthosts.front().connections * lanes_)
    findings_.push_back("more connections than are allowed");
}

void History::check_drained() {
  for (const Spooled& each : spooled())
    if (!each.mail.progress.held)
      findings_.push_back(
          cat("still queued: from <", each.mail.envelope.sender, ">: ", each.mail.progress.reason));
}

std::vector<Spooled> History::spooled() {
  std::vector<Spooled> all;
  for (mail::MailId id : rig_.queued()) {
    auto mail = rig_.loop.run(rig_.spool->load(id));
    REQUIRE(mail);
    all.push_back({std::move(*mail), rig_.content(id)});
  }
  return all;
}

}  // namespace hikyaku::test
