// SPDX-License-Identifier: MIT
#include "smtpc/lane_link.h"

#include <algorithm>
#include <utility>

#include "smtpc/lane.h"

namespace hikyaku::smtpc {
namespace {

// How long a ready mail may wait before its final dot for the flush of the one before.
constexpr Duration kFlushTimeout = 30s;

// Not about one mail, or one recipient, alone.
bool is_of_session(const Refusal& refusal) {
  switch (refusal.verdict.action) {
    case Action::defer_message:
    case Action::fail_message:
    case Action::defer_recipient:
    case Action::fail_recipient: return false;
    default: return refusal.failure.kind != mail::FailureKind::source_damaged;
  }
}

bool is_reply_lost(const TransactionResult& result) {
  return result.rest && result.rest->failure.kind == mail::FailureKind::reply_lost;
}

// The failure that a result is told by, if there is one: rather one that is not the mail's own.
const Refusal* most_telling(const TransactionResult& result) {
  const Refusal* told = nullptr;
  auto tell = [&](const std::optional<Refusal>& refusal) {
    if (refusal && (told == nullptr || (is_of_session(*refusal) && !is_of_session(*told)))) told = &*refusal;
  };
  tell(result.rest);
  for (const RecipientOutcome& outcome : result.recipients) tell(outcome.refusal);
  return told;
}

Task<bool> flushed(TicketPtr ticket, io::Until until) {
  auto done = co_await ticket->done(until);
  co_return done;
}

}  // namespace

Task<bool> Ticket::done(io::Until until) {
  while (!done_) {
    auto woken = co_await changed_.wait(until);
    if (woken != io::Woken::ready) co_return done_;
  }
  co_return true;
}

Task<void> LaneLink::run() {
  auto opened = co_await open();
  opening_ = is_before_greeting_ = false;
  lane_.wake();
  if (opened) {
    for (bool more = true; more;) more = co_await next();
    co_await client_->quit();
  }
  client_.reset();
}

Task<bool> LaneLink::open() {
  for (bool again = true; again;) {
    auto opened = co_await dial();
    if (!cancel_.is_requested()) tell_dialled(opened);
    again = !opened && client_ && client_->wants_new_connection() && !cancel_.is_requested();
    if (!opened && !again && !cancel_.is_requested()) opening_failed(opened.error());
    if (opened) lane_.tell(lane_.health_.opened());
    if (!again) co_return opened.has_value();
  }
  co_return false;
}

void LaneLink::opening_failed(const Refusal& refusal) {
  const mail::Failure& why = refusal.failure;
  mail::Dialogue unsaid = mail::dialogue_before(why, lane_.loop_.clock().wall(), {});
  auto said =
      client_ ? client_->dialogue_before(why) : std::make_shared<const mail::Dialogue>(std::move(unsaid));
  lane_.observer_.session_failed(lane_, std::move(said));
  lane_.learn(refusal, std::nullopt, round_);
}

Task<Result<void, Refusal>> LaneLink::dial() {
  auto stream = co_await lane_.connector_.dial(lane_.options_.smarthost, {kNever, &cancel_});
  if (!stream) {
    client_.reset();
    co_return std::unexpected(Refusal{stream.error(), verdict(stream.error().stage, stream.error().kind)});
  }
  client_ = std::make_unique<Client>(context(), std::move(*stream));
  auto opened = co_await client_->open();
  co_return opened;
}

void LaneLink::tell_dialled(const Result<void, Refusal>& opened) const {
  ConnectionAttempt attempt{.used = used_connection(),
                            .mechanism = client_ ? client_->mechanism() : "",
                            .failure = opened ? nullptr : &opened.error().failure};
  lane_.observer_.dialled(lane_, attempt);
}

ClientContext LaneLink::context() {
  return {.loop = lane_.loop_,
          .smarthost = lane_.options_.smarthost,
          .connector = lane_.connector_,
          .knowledge = lane_.knowledge_,
          .tls = lane_.options_.tls,
          .ehlo_name = lane_.options_.ehlo_name,
          .instance_token = lane_.options_.instance_token,
          .cancel = &cancel_,
          .observer = this,
          .keys = lane_.options_.keys.get(),
          .tokens = lane_.options_.tokens,
          .hands_over = lane_.options_.hands_over};
}

void LaneLink::greeted(const mail::Reply&) {
  is_before_greeting_ = false;
  lane_.wake();
}

bool LaneLink::may_take() const {
  if (lane_.retired_ || cancel_.is_requested() || !client_->is_usable()) return false;
  if (messages_ >= lane_.options_.smarthost.messages_per_connection) return false;
  if (lane_.health_.is_paused()) return probes_ && round_ == lane_.health_.round() && messages_ == 0;
  return lane_.links_.size() <= lane_.health_.limit(lane_.loop_.now());
}

// Sends one mail, or waits for one; false if the connection is to end.
Task<bool> LaneLink::next() {
  if (!next_ && !may_take()) co_return false;
  busy_ = true;
  JobPtr job = std::exchange(next_, nullptr);
  if (!job) job = co_await lane_.take(preference());
  bool was_there = job != nullptr;
  if (was_there) co_await deliver(std::move(job));
  busy_ = false;
  if (was_there) co_return true;
  auto there_is_work = co_await wait_for_work();
  co_return there_is_work;
}

// A probe looks for a mail that gets through. Where only a mail can end the pause it tries both ends of the
// queue in turn, so that no number of bad mails at one end keeps the others waiting.
Preference LaneLink::preference() const {
  if (!lane_.health_.is_paused()) return {};
  const Pause& pause = *lane_.health_.pause();
  return {.avoid = pause.avoid, .newest = pause.only_a_mail_proves && pause.probes % 2 == 1};
}

// A mail that an idle connection could send at once does not wait behind a final dot.
Task<std::optional<Consignment>> LaneLink::following() {
  auto idle = std::ranges::count_if(lane_.links_,
                                    [](const LaneLink* link) { return !link->busy_ && !link->opening_; });
  if (lane_.health_.is_paused() || !may_take()) co_return std::nullopt;
  if (lane_.takeable() <= static_cast<std::size_t>(idle)) co_return std::nullopt;
  next_ = co_await lane_.take({.avoid = {}, .patience = mail::Patience::none});
  if (!next_) co_return std::nullopt;
  co_return consignment(*next_);
}

// A probe without a mail to send has shown what it can.
Task<bool> LaneLink::wait_for_work() {
  io::Until until = lane_.loop_.within(lane_.options_.idle, &cancel_);
  while (lane_.takeable() == 0) {
    if (lane_.health_.is_paused() || lane_.retired_) co_return false;
    lane_.keep_for_next_chance(until);
    auto woken = co_await lane_.changed_.wait(until);
    if (woken != io::Woken::ready) co_return false;
  }
  auto alive = co_await client_->is_alive();
  co_return alive;
}

Consignment LaneLink::consignment(const Job& job) const {
  return {.mail = job.mail,
          .recipients = job.recipients,
          .content = *job.content,
          .proven = lane_.health_.is_proven()};
}

DotHooks LaneLink::hooks() {
  DotHooks hooks;
  if (last_)
    hooks.may_leave = [last = last_, until = lane_.loop_.within(kFlushTimeout, &cancel_)] {
      return flushed(last, until);
    };
  hooks.following = [this] { return following(); };
  return hooks;
}

Task<void> LaneLink::deliver(JobPtr job) {
  ++messages_;
  mail::MailId id = job->mail.id;
  auto result = co_await client_->send(consignment(*job), hooks());
  if (next_ && !client_->is_usable()) lane_.put_back(std::exchange(next_, nullptr));
  if (lane_.knowledge_.plain_dialogue && !std::exchange(lane_.is_plainness_known_, true))
    lane_.observer_.speaks_plainly(lane_);
  bool broken_off = cancel_.is_requested() && result.recipients.empty() && !is_reply_lost(result);
  if (broken_off || result.is_untried) co_return lane_.put_back(std::move(job));
  UsedConnection used = used_connection();
  used.dialogue = tell_of_failure(result);
  lane_.learn(result, id, round_);
  lane_.weigh(result, *job, round_);
  if (result.final_reply) lane_.observer_.accepted(lane_);
  used.signature = result.signature;
  last_ = lane_.work_.settle(std::move(*job), std::move(result), std::move(used));
}

// Null: there was none.
mail::DialoguePtr LaneLink::tell_of_failure(const TransactionResult& result) {
  const Refusal* why = most_telling(result);
  if (why == nullptr) return nullptr;
  auto dialogue = client_->dialogue_before(why->failure);
  if (is_of_session(*why)) lane_.observer_.session_failed(lane_, dialogue);
  return dialogue;
}

UsedConnection LaneLink::used_connection() const {
  UsedConnection used{.smarthost = lane_.options_.smarthost.name, .address = {}, .tls = {}};
  if (client_) used.address = Endpoint::parse(client_->address());
  if (client_ && client_->tls() != nullptr) used.tls = *client_->tls();
  return used;
}

}  // namespace hikyaku::smtpc
