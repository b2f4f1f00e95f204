// SPDX-License-Identifier: MIT
#include "daemon/app/fleet_steering.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::app {

using mail::Decided;
using mail::Decision;
using mail::MailId;

namespace {

constexpr Duration kBeforeItsFirstAttempt = 5s;  // mail that was taken to be steered is not tried before that

Decided refused(MailId id, std::string why) {
  return {.id = id, .result = Decided::Result::refused, .why = std::move(why)};
}

std::string words_for_away(const mail::Holder& holder) {
  return cat("it is ", printable(holder.node), "'s, which has not been heard of since ",
             to_rfc3339(*holder.away_since), "; it can be steered when its mail has come free",
             holder.free_at ? cat(", from ", to_rfc3339(*holder.free_at), " on") : "");
}

std::string words_for_silence(const mail::Holder& holder) {
  return cat("it is ", printable(holder.node),
             "'s, which is alive but has not answered; it may still do so: look again in a minute");
}

constexpr std::string_view kUnsettled =
    "the node that had it has died a moment ago, and may just have sent it: try again in some minutes";
constexpr std::string_view kForOperators =
    "it is another node's now, which does not know the users of this machine: only operators may do that";

}  // namespace

FleetSteering::FleetSteering(mail::Fleet& fleet, relay::Relay& relay, mail::MailSource& source,
                             log::MailLog& log, std::string node)
    : fleet_(fleet), relay_(relay), source_(source), log_(log), node_(std::move(node)) {
  fleet_.serve([this](std::vector<MailId> ids, Decision decision, std::string by) {
    return obey(std::move(ids), decision, std::move(by));
  });
}

// `is_change`: not a retry, which whoever may see a mail may ask for.
Task<FleetSteering::Plan> FleetSteering::plan(std::vector<MailId> ids, control::Rights rights,
                                              bool is_change) {
  Plan plan;
  auto found = co_await fleet_.find(ids);
  if (!found) {
    for (MailId id : ids) plan.not_possible.push_back(refused(id, found.error().text));
    co_return plan;
  }
  plan.found = std::move(*found);
  for (const mail::Fleet::Found& mail : plan.found) {
    const bool may_do = is_change ? rights.may_change(mail.uid) : rights.may_see(mail.uid);
    const bool may_do_all = is_change ? rights.may_change_all : rights.is_operator;
    if (!may_do) continue;
    if (mail.is_ours)
      plan.ours.push_back(mail.id);
    else if (mail.holder.is_free())
      plan.free.push_back(mail.id);
    else if (!may_do_all)
      plan.not_possible.push_back(refused(mail.id, std::string(kForOperators)));
    else if (mail.holder.away_since)
      plan.not_possible.push_back(refused(mail.id, words_for_away(mail.holder)));
    else
      plan.others.push_back(mail.id);
  }
  co_return plan;
}

// The queue hears of it as of any other claimed mail, but leaves it alone until it has been steered.
Task<void> FleetSteering::take(Plan& plan) {
  if (plan.free.empty()) co_return;
  auto taken = co_await fleet_.take(plan.free);
  for (MailId id : plan.free) {
    const bool is_taken = taken && std::ranges::find(*taken, id, &mail::QueueEntry::id) != taken->end();
    if (is_taken)
      plan.ours.push_back(id);
    else
      plan.not_possible.push_back(refused(id, taken ? std::string(kUnsettled) : taken.error().text));
  }
  if (!taken) co_return;
  for (mail::QueueEntry& entry : *taken) entry.next_wait = std::max(entry.next_wait, kBeforeItsFirstAttempt);
  relay_.claimed(*taken);
}

Task<std::vector<Decided>> FleetSteering::ask(const Plan& plan, Decision decision, std::string by) {
  if (plan.others.empty()) co_return std::vector<Decided>();
  auto answers = co_await fleet_.ask(plan.others, decision, cat(by, " at ", node_));
  for (Decided& answer : answers) {
    const bool is_silence = answer.result == Decided::Result::refused && answer.why.empty();
    auto mail = std::ranges::find(plan.found, answer.id, &mail::Fleet::Found::id);
    if (is_silence && mail != plan.found.end()) answer.why = words_for_silence(mail->holder);
  }
  co_return answers;
}

Task<void> FleetSteering::settle(std::vector<Decided>& answers, control::SteeringOrder order) {
  std::vector<MailId> ids;
  for (const Decided& answer : answers)
    if (answer.result == Decided::Result::unknown) ids.push_back(answer.id);
  if (ids.empty()) co_return;
  Plan plan = co_await this->plan(std::move(ids), order.rights, true);
  co_await take(plan);
  std::vector<Decided> settled = std::move(plan.not_possible);
  auto add = [&](std::vector<Decided> more) { settled.insert(settled.end(), more.begin(), more.end()); };
  auto own = co_await relay_.steering().apply(plan.ours, {.decision = order.decision, .by = order.by});
  add(std::move(own));
  auto asked = co_await ask(plan, order.decision, order.by);
  add(std::move(asked));
  for (Decided& answer : settled) {
    auto of_this = std::ranges::find(answers, answer.id, &Decided::id);
    if (of_this != answers.end()) *of_this = std::move(answer);
  }
}

Task<void> FleetSteering::settle(control::RetryReport& report, control::Rights rights, std::string by) {
  if (report.unknown.empty()) co_return;
  Plan plan = co_await this->plan(report.unknown, rights, false);
  co_await take(plan);
  std::vector<Decided> answers = co_await retry_own(plan.ours, rights.is_operator);
  auto asked = co_await ask(plan, Decision::retry, std::move(by));
  for (Decided& answer : asked)
    if (answer.result == Decided::Result::done) report.elsewhere.push_back(answer.id);
  for (MailId id : report.elsewhere) std::erase(report.unknown, id);
  std::erase_if(asked, [](const Decided& answer) { return answer.result == Decided::Result::done; });
  answers.insert(answers.end(), asked.begin(), asked.end());
  for (Decided& answer : answers) {
    if (answer.result != Decided::Result::unknown) std::erase(report.unknown, answer.id);
    if (answer.result == Decided::Result::done) report.retried.push_back(answer.id);
    if (answer.result == Decided::Result::unchanged) report.held.push_back(answer.id);
    if (answer.result == Decided::Result::refused) report.refused.push_back(std::move(answer));
  }
  for (Decided& answer : plan.not_possible) {
    std::erase(report.unknown, answer.id);
    report.refused.push_back(std::move(answer));
  }
}

Task<void> FleetSteering::retry_known(std::vector<MailId> ids, control::Rights rights, std::string by) {
  Plan plan = co_await this->plan(std::move(ids), rights, false);
  relay_.retry(plan.ours);
  if (rights.is_operator && !plan.ours.empty()) relay_.probe_paused();
  if (!plan.free.empty()) (void)co_await fleet_.make_due(plan.free);
  (void)co_await ask(plan, Decision::retry, std::move(by));
}

Task<std::size_t> FleetSteering::retry_all(std::string by) {
  co_await fleet_.ask_all_to_retry(cat(by, " at ", node_));
  auto freed = co_await fleet_.make_all_due();
  co_return freed.value_or(0);
}

// ---- what others ask of this node

Task<std::vector<Decided>> FleetSteering::obey(std::vector<MailId> ids, Decision decision, std::string by) {
  if (decision != Decision::retry) {
    auto answers =
        co_await relay_.steering().apply(std::move(ids), {.decision = decision, .by = std::move(by)});
    co_return answers;
  }
  log_.info(ids.empty() ? "all mail is due now" : "mail is due now", {{"by", by}});
  if (ids.empty()) {
    relay_.retry_all();
    co_return std::vector<Decided>();
  }
  auto answers = co_await retry_own(std::move(ids), true);
  co_return answers;
}

// `unchanged`: it is held. Only operators have paused smarthosts probed.
Task<std::vector<Decided>> FleetSteering::retry_own(std::vector<MailId> ids, bool probes) {
  std::vector<Decided> answers;
  std::vector<MailId> due;
  for (MailId id : ids) {
    auto mail = co_await source_.load(id);
    const auto result = !mail                 ? Decided::Result::unknown
                        : mail->progress.held ? Decided::Result::unchanged
                                              : Decided::Result::done;
    if (result == Decided::Result::done) due.push_back(id);
    answers.push_back({.id = id, .result = result});
  }
  relay_.retry(due);
  if (probes && !due.empty()) relay_.probe_paused();
  co_return answers;
}

}  // namespace hikyaku::app
