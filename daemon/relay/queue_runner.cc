// SPDX-License-Identifier: MIT
#include "daemon/relay/queue_runner.h"

#include <algorithm>
#include <utility>

#include "daemon/mail/retry.h"

namespace hikyaku::relay {
namespace {

using mail::FailureKind;
using mail::SourceErrorKind;

constexpr Duration kOutcomeWait = 1min;

// What another smarthost may be able to take.
bool is_unfit(const smtpc::Refusal& refusal) {
  const FailureKind kind = refusal.failure.kind;
  const bool is_final = refusal.verdict.action == smtpc::Action::fail_message ||
                        refusal.verdict.action == smtpc::Action::fail_recipient;
  return is_final && (kind == FailureKind::too_large || kind == FailureKind::smtputf8_needed);
}

// Of a mail in several parts the shortest time is recorded, so that after a restart none is given up early.
Duration wait_to_record(Duration waited, Duration recorded, bool has_other_parts) {
  return has_other_parts ? std::min(waited, recorded) : waited;
}

bool is_of_part(const RouteTable& table, const mail::QueuedMail& mail, std::size_t recipient,
                std::uint32_t part) {
  return table.part_of(mail.envelope.sender, mail.envelope.recipients[recipient].address) == part;
}

smtpc::Refusal refusal_by_destination(const mail::Failure& why) {
  const bool is_final = why.concerns == mail::Concerns::recipient;
  return {why, {is_final ? smtpc::Action::fail_recipient : smtpc::Action::defer_message, why.kind}};
}

}  // namespace

QueueRunner::QueueRunner(QueueParts parts, Routes& routes)
    : loop_(parts.loop),
      source_(parts.source),
      log_(parts.log),
      dialogues_(parts.dialogues),
      routes_(routes),
      writer_(std::move(parts), routes,
              [this](mail::MailId id, const Settlement& settlement) { requeue(id, settlement); }),
      changed_(loop_),
      due_(loop_, source_, log_, routes_, changed_,
           [this](mail::QueuedMail mail, Entry entry) {
             if (take_up(entry, nullptr)) writer_.settle_owed_notice(std::move(mail));
           }),
      steering_(loop_, source_, log_, due_, steered_queue()),
      emptying_(loop_, due_, routes_, [this] { return under_way_.empty() && failing_ == 0; }),
      nursery_(loop_) {
  nursery_.spawn(keep_time());
}

QueueRunner::~QueueRunner() = default;

void QueueRunner::arrived(const mail::QueueEntry& entry) {
  routes_.update_clocks();
  due_.place({.id = entry.id, .since = routes_.table().time()});
}

void QueueRunner::configure(SettlementPolicy policy, BouncePolicy bounces) {
  writer_.configure(policy, std::move(bounces));
  if (configuration_++ > 0) retry_all();
  due_.enter_routes();
  routes_.wake();
  changed_.notify();
}

void QueueRunner::retry_all() {
  due_.release_all();
  released_ = loop_.clock().wall();
  changed_.notify();
}

void QueueRunner::retry(const std::vector<mail::MailId>& ids) {
  due_.retry(ids);
  changed_.notify();
}

void QueueRunner::storage_is_back() { retry(writer_.take_short_of_storage()); }

Task<void> QueueRunner::stop(io::Until until) {
  stopping_ = true;
  co_await writer_.stop(until);
  cancel_.request();
  co_await due_.stop();
  co_await nursery_.drained({});
}

std::size_t QueueRunner::queued() const {
  std::size_t parts = due_.size() + failing_;
  for (const auto& [id, under_way] : under_way_)
    parts += under_way.others.size() + (under_way.is_steered ? 0 : 1);
  return parts - std::min(parts, due_.parts().surplus());
}

Backlog QueueRunner::backlog() const {
  return {.queued = queued(), .oldest = routes_.table().oldest(), .unsorted = due_.unsorted()};
}

void QueueRunner::report(StatusReport& status) const {
  const std::size_t mails = queued();
  status.held = due_.held();
  status.deferred = std::min(due_.waiting(), mails - status.held);
  status.active = mails - status.deferred - status.held;
  status.last_delivery = writer_.last_delivery();
  status.failed = writer_.outcomes().failed();
  status.released = released_;
}

Task<void> QueueRunner::keep_time() {
  while (!cancel_.is_requested()) {
    co_await changed_.wait({due_.next_look(), &cancel_});
    routes_.update_clocks();
    due_.release_due();
    routes_.sweep();
    if (routes_.owes_reminder()) routes_.remind(backlog());
  }
}

// ---- to the lanes

std::size_t QueueRunner::waiting(const smtpc::Lane& lane) const {
  std::size_t waiting = 0;
  if (hands_out())
    for (const RoutePtr& route : routes_.table().served_by(lane))
      waiting += route->share_of(lane, loop_.now());
  return waiting;
}

bool QueueRunner::has_fresh(const smtpc::Lane& lane, const std::vector<mail::MailId>& avoid) const {
  return hands_out() && !lane.is_retired() &&
         std::ranges::any_of(routes_.table().served_by(lane), [&](const RoutePtr& route) {
           return route->is_paused() && route->due().has_other(avoid);
         });
}

Task<std::optional<smtpc::Job>> QueueRunner::take(const smtpc::Lane& lane, smtpc::Preference preference) {
  while (RoutePtr route = hands_out() ? routes_.table().next_for(lane) : nullptr) {
    const Entry entry = *route->due().pop(preference.avoid, preference.newest);
    if (due_.passes_over(entry) || !take_up(entry, route)) continue;
    route->note_given(lane);
    auto job = co_await load(entry.id, preference.patience);
    if (job && !job->recipients.empty()) co_return std::move(*job);
    const bool is_short = !job && job.error().kind == SourceErrorKind::no_memory;
    if (is_short) {
      const Entry back = end_attempt(entry.id).entry;
      if (back.part == route->part())
        route->due().push_front(back);  // nobody is woken for it
      else
        due_.place(back, true);
      co_return std::nullopt;
    }
    give_back(std::move(job), entry.id);
  }
  co_return std::nullopt;
}

// False: another part of the mail is under way; this one follows it.
bool QueueRunner::take_up(Entry entry, const RoutePtr& route) {
  routes_.update_clocks();
  auto [found, is_new] = under_way_.try_emplace(
      entry.id,
      UnderWay{.entry = entry, .route = route, .configuration = configuration_, .shape = due_.shape()});
  if (!is_new) found->second.others.push_back(entry);
  return is_new;
}

// The job has those recipients that take the route; none if they have been settled meanwhile, or only the
// notice to the sender is left to do.
Task<Result<smtpc::Job, mail::SourceError>> QueueRunner::load(mail::MailId id, mail::Patience patience) {
  auto room = co_await source_.make_room(id, patience);
  if (!room) co_return std::unexpected(room.error());
  auto mail = co_await source_.load(id);
  if (!mail) co_return std::unexpected(mail.error());
  mail->room = std::move(*room);
  auto content = source_.open(id);
  if (!content) co_return std::unexpected(content.error());
  smtpc::Job job{.mail = std::move(*mail), .recipients = {}, .content = std::move(*content)};
  if (job.mail.progress.is_settled() && !job.mail.progress.owes_notice())
    co_return hikyaku::fail(SourceErrorKind::damaged, "the mail is queued without a pending recipient");
  UnderWay& under_way = under_way_.at(id);
  under_way.recorded = job.mail.progress.waited;
  if (!under_way.entry.is_absolute) under_way.entry.since -= under_way.recorded;
  under_way.entry.is_absolute = true;
  job.mail.progress.waited = under_way.route->time() - under_way.entry.since;
  const bool is_for_all = routes_.table().only() != nullptr || under_way.shape != due_.shape();
  for (std::size_t i = 0; i < job.mail.progress.recipients.size(); ++i)
    if (job.mail.progress.is_pending(i) &&
        (is_for_all || is_of_part(routes_.table(), job.mail, i, under_way.entry.part)))
      job.recipients.push_back(i);
  co_return job;
}

// Nothing of it is to be sent now.
void QueueRunner::give_back(Result<smtpc::Job, mail::SourceError> job, mail::MailId id) {
  const Entry entry = end_attempt(id).entry;
  if (job)
    due_.divide(std::move(job->mail), entry);
  else
    due_.set_aside(entry, job.error());
}

// ---- and back

smtpc::TicketPtr QueueRunner::settle(smtpc::Job job, smtpc::TransactionResult result,
                                     smtpc::UsedConnection used) {
  UnderWay& under_way = under_way_.at(job.mail.id);
  turn_over(under_way, job, result, used.smarthost);
  const bool is_divided = due_.parts().has_several(job.mail.id);
  const bool is_corrected = under_way.configuration != configuration_;
  const bool may_go = !is_divided && !is_corrected && under_way.others.empty() && under_way.next == nullptr;
  const OutcomeWriter::Terms terms{
      .waited = wait_to_record(job.mail.progress.waited, under_way.recorded, is_divided),
      .may_go = mail::MayGo{may_go}};
  if (!job.recipients.empty()) return writer_.settle(std::move(job), result, used, terms);
  const UnderWay was = end_attempt(job.mail.id);
  due_.add_due(was.next, was.entry, true);
  auto ticket = std::make_shared<smtpc::Ticket>(loop_);
  ticket->set_done();
  return ticket;
}

// What this smarthost cannot take goes to the next that is left on the route, if there is one: to that nothing
// has happened yet.
void QueueRunner::turn_over(UnderWay& under_way, smtpc::Job& job, const smtpc::TransactionResult& result,
                            const std::string& smarthost) {
  auto is_left_over = [&](std::size_t recipient) {
    const smtpc::Refusal* refusal = result.refusal_of(recipient);
    return refusal != nullptr && is_unfit(*refusal);
  };
  if (under_way.shape != due_.shape() || std::ranges::none_of(job.recipients, is_left_over)) return;
  under_way.next = routes_.table().without(*under_way.route, smarthost);
  if (under_way.next != nullptr) std::erase_if(job.recipients, is_left_over);
}

void QueueRunner::fail_due(const std::vector<RoutePtr>& routes, const mail::Failure& why,
                           const std::string& smarthost) {
  for (const RoutePtr& route : routes) {
    auto due = route->due().take_all();
    if (due.empty()) continue;
    if (Destinations::is_network(why))
      for (const Entry& entry : due) due_.postpone(entry, Destinations::kNetworkWait);
    else
      nursery_.spawn(
          fail(std::move(due), route, why,
               {.smarthost = smarthost, .address = {}, .tls = {}, .dialogue = dialogues_.of(smarthost)}));
  }
}

Task<void> QueueRunner::fail(std::deque<Entry> entries, RoutePtr route, mail::Failure why,
                             smtpc::UsedConnection used) {
  failing_ += entries.size();
  for (const Entry& entry : entries) {
    --failing_;
    if (!hands_out()) {
      due_.postpone(entry, kOutcomeWait);
      continue;
    }
    if (due_.passes_over(entry) || !take_up(entry, route)) continue;
    auto job = co_await load(entry.id, mail::Patience::some);
    if (!job || job->recipients.empty()) {
      give_back(std::move(job), entry.id);
      continue;
    }
    smtpc::TransactionResult result;
    result.rest = refusal_by_destination(why);
    (void)settle(std::move(*job), std::move(result), used);
  }
}

void QueueRunner::put_back(smtpc::Job job) { due_.place(end_attempt(job.mail.id).entry, true); }

// The entry fits the routes that there are now.
QueueRunner::UnderWay QueueRunner::end_attempt(mail::MailId id) {
  auto found = under_way_.find(id);
  check(found != under_way_.end(), "a mail comes back that was not under way");
  UnderWay under_way = std::move(found->second);
  under_way_.erase(found);
  if (under_way.shape != due_.shape()) {
    if (under_way.route != nullptr) routes_.table().leave(under_way.entry, *under_way.route);
    for (Entry& other : under_way.others) other.part = 0;
    under_way.next = nullptr;
  }
  for (const Entry& other : under_way.others) due_.place(other, true);
  return under_way;
}

// What failed with the configuration of before a reload is tried again with the new one at once. The time
// keeper looks too: the mail may have used up the rate, and the route's time stands still until that is over.
void QueueRunner::requeue(mail::MailId id, const Settlement& settlement) {
  const UnderWay was = end_attempt(id);
  changed_.notify();
  if (was.is_steered) {
    if (settlement.is_over) due_.end(id);
    return;
  }
  if (settlement.is_over || settlement.is_gone || settlement.progress.held) {
    due_.parts().end_all(id);
    if (settlement.progress.held && !settlement.is_gone) due_.hold(was.entry);
    return;
  }
  if (was.next != nullptr) return due_.add_due(was.next, was.entry, true);
  auto is_left = [&](const SettledRecipient& tried) {
    return settlement.progress.is_pending(tried.recipient);
  };
  const bool is_part_left =
      settlement.progress.is_settled() || std::ranges::any_of(settlement.recipients, is_left);
  if (!is_part_left && due_.parts().end_one(id)) return;
  const bool is_corrected = was.configuration != configuration_;
  if (settlement.progress.next_wait > Duration{0} && !is_corrected)
    due_.postpone(was.entry, settlement.progress.next_wait);
  else
    due_.place(was.entry);
}

// A mail that is due or waits, for as long as it is steered.
Steering::Queue QueueRunner::steered_queue() {
  Steering::Queue queue;
  queue.claim = [this](mail::MailId id) {
    const bool is_free = !under_way_.contains(id) && take_up({.id = id}, nullptr);
    if (is_free) under_way_.at(id).is_steered = true;
    return is_free;
  };
  queue.let_go = [this](mail::MailId id) { end_attempt(id); };
  queue.fail = [this](smtpc::Job job, const smtpc::TransactionResult& why) {
    const OutcomeWriter::Terms terms{.waited = job.mail.progress.waited};
    return writer_.settle(std::move(job), why, {}, terms);
  };
  queue.note = [this](MailOutcome outcome) { outcomes().note(std::move(outcome)); };
  return queue;
}

}  // namespace hikyaku::relay
