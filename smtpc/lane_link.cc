// SPDX-License-Identifier: MIT
// One connection of a lane, from dialling to its end: mail after mail, the next one's commands with the final
// dot of the one before.
#include <algorithm>
#include <utility>

#include "smtpc/lane.h"

namespace hikyaku::smtpc {
namespace {

// How long a ready mail may wait before its final dot for the flush of the one before.
constexpr Duration kFlushPatience = 30s;

bool is_reply_lost(const TransactionResult& result) {
  return result.rest && result.rest->failure.kind == mail::FailureKind::reply_lost;
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

Task<void> Lane::run_link() {
  auto link = std::make_shared<Link>();
  link->probes = probing_;
  link->round = health_.round();
  links_.push_back(link);
  auto opened = co_await open(*link);
  link->opening = link->is_before_greeting = false;
  wake();
  if (opened) {
    for (bool more = true; more;) more = co_await next(*link);
    co_await link->client->quit();
  }
  link->client.reset();
  links_.remove(link);
  if (link->probes && link->round == probe_round_) probing_ = false;
  health_.ended(link->round, loop_.now());
  wake();
}

Task<bool> Lane::open(Link& link) {
  for (bool again = true; again;) {
    auto opened = co_await dial(link);
    again = !opened && link.client && link.client->wants_new_connection() && !link.cancel.is_requested();
    if (!opened && !again && !link.cancel.is_requested()) learn(opened.error(), std::nullopt, link.round);
    if (opened) tell(health_.opened());
    if (!again) co_return opened.has_value();
  }
  co_return false;
}

Task<Result<void, Refusal>> Lane::dial(Link& link) {
  auto stream = co_await connector_.dial(options_.smarthost, {kNever, &link.cancel});
  if (!stream) {
    link.client.reset();
    co_return std::unexpected(Refusal{stream.error(), verdict(stream.error().stage, stream.error().kind)});
  }
  link.client = std::make_unique<Client>(context(link), std::move(*stream));
  auto opened = co_await link.client->open();
  co_return opened;
}

ClientContext Lane::context(Link& link) {
  return {.loop = loop_,
          .smarthost = options_.smarthost,
          .connector = connector_,
          .memory = memory_,
          .tls = options_.tls,
          .ehlo_name = options_.ehlo_name,
          .instance_token = options_.instance_token,
          .cancel = &link.cancel,
          .on_greeting = [this, &link] {
            link.is_before_greeting = false;
            wake();
          }};
}

bool Lane::may_take(const Link& link) const {
  if (retired_ || link.cancel.is_requested() || !link.client->is_usable()) return false;
  if (link.messages >= options_.smarthost.messages_per_connection) return false;
  if (health_.is_paused()) return link.probes && link.round == health_.round() && link.messages == 0;
  return links_.size() <= health_.limit(loop_.now());
}

// One mail, if there is one. False: the connection has done its part.
Task<bool> Lane::next(Link& link) {
  if (!link.next && !may_take(link)) co_return false;
  link.busy = true;
  JobPtr job = std::exchange(link.next, nullptr);
  if (!job) job = co_await take(preference());
  bool was_there = job != nullptr;
  if (was_there) co_await deliver(link, std::move(job));
  link.busy = false;
  if (was_there) co_return true;
  auto there_is_work = co_await wait_for_work(link);
  co_return there_is_work;
}

// A probe looks for a mail that gets through. Where only a mail can end the pause it looks at both ends of
// the queue in turn, so that no number of bad ones at one end keeps the others waiting.
Preference Lane::preference() const {
  if (!health_.is_paused()) return {};
  const Pause& pause = *health_.pause();
  return {.avoid = pause.avoid, .newest = pause.only_a_mail_proves && pause.probes % 2 == 1};
}

// What an idle connection could begin with at once does not queue up behind a final dot.
Task<std::optional<Consignment>> Lane::following(Link& link) {
  auto idle = static_cast<std::size_t>(
      std::ranges::count_if(links_, [](const LinkPtr& l) { return !l->busy && !l->opening; }));
  if (health_.is_paused() || !may_take(link) || takeable() <= idle) co_return std::nullopt;
  link.next = co_await take({.avoid = {}, .patience = mail::Patience::none});
  if (!link.next) co_return std::nullopt;
  co_return consignment(*link.next);
}

// A probe that found nothing to send has told what it could.
Task<bool> Lane::wait_for_work(Link& link) {
  io::Until until = loop_.within(options_.idle, &link.cancel);
  while (takeable() == 0) {
    if (health_.is_paused() || retired_) co_return false;
    keep_for_next_chance(until);
    auto woken = co_await changed_.wait(until);
    if (woken != io::Woken::ready) co_return false;
  }
  auto alive = co_await link.client->is_alive();
  co_return alive;
}

Consignment Lane::consignment(const Job& job) const {
  return {
      .mail = job.mail, .recipients = job.recipients, .content = *job.content, .proven = health_.is_proven()};
}

DotHooks Lane::hooks(Link& link) {
  DotHooks hooks;
  if (link.last)
    hooks.may_leave = [last = link.last, until = loop_.within(kFlushPatience, &link.cancel)] {
      return flushed(last, until);
    };
  hooks.following = [this, &link] { return following(link); };
  return hooks;
}

Task<void> Lane::deliver(Link& link, JobPtr job) {
  ++link.messages;
  mail::MailId id = job->mail.id;
  auto result = co_await link.client->send(consignment(*job), hooks(link));
  if (link.next && !link.client->is_usable()) put_back(std::exchange(link.next, nullptr));
  if (memory_.plain_dialogue && !std::exchange(is_plainness_known_, true)) work_.speaks_plainly(*this);
  bool broken_off = link.cancel.is_requested() && result.recipients.empty() && !is_reply_lost(result);
  if (broken_off || result.is_untried) co_return put_back(std::move(job));
  learn(result, id, link.round);
  weigh(result, *job, link.round);
  if (result.final_reply) work_.accepted(*this);
  link.last = work_.settle(std::move(*job), std::move(result), way(*link.client));
}

Way Lane::way(const Client& client) const {
  Way way{.smarthost = options_.smarthost.name, .address = Endpoint::parse(client.address()), .tls = {}};
  if (client.tls() != nullptr) way.tls = *client.tls();
  return way;
}

}  // namespace hikyaku::smtpc
