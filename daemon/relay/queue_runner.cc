// SPDX-License-Identifier: MIT
#include "daemon/relay/queue_runner.h"

#include <algorithm>
#include <set>
#include <utility>

#include "daemon/mail/retry.h"

namespace hikyaku::relay {
namespace {

using mail::FailureKind;
using mail::SourceErrorKind;

constexpr Duration kReadRetry = 1min;
constexpr Duration kBetweenPortions = 1ms;  // of what becomes due at once: the loop serves others meanwhile
constexpr Duration kSweep = 30s;            // of lanes to destinations that have nothing to do

bool is_pending(const mail::Progress& progress, std::size_t recipient) {
  return progress.recipients[recipient].state == mail::RecipientState::pending;
}

// What another smarthost may be able to take.
bool is_unfit(const smtpc::Refusal& refusal) {
  const FailureKind kind = refusal.failure.kind;
  const bool is_final = refusal.verdict.action == smtpc::Action::fail_message ||
                        refusal.verdict.action == smtpc::Action::fail_recipient;
  return is_final && (kind == FailureKind::too_large || kind == FailureKind::smtputf8_needed);
}

// The refusal of each recipient that the attempt has one for.
const smtpc::Refusal* refusal_of(const smtpc::TransactionResult& result, std::size_t recipient) {
  auto own = std::ranges::find(result.recipients, recipient, &smtpc::RecipientOutcome::recipient);
  if (own != result.recipients.end()) return own->refusal ? &*own->refusal : nullptr;
  return result.rest ? &*result.rest : nullptr;
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
      routes_(routes),
      writer_(std::move(parts), routes,
              [this](mail::MailId id, const Settlement& settlement) { requeue(id, settlement); }),
      changed_(loop_),
      nursery_(loop_) {
  nursery_.spawn(keep_time());
}

QueueRunner::~QueueRunner() = default;

void QueueRunner::adopt(const std::vector<mail::QueueEntry>& entries, Duration downtime) {
  for (const mail::QueueEntry& found : entries) {
    Entry entry{.id = found.id, .since = routes_.time() - downtime};
    if (found.held)
      ++held_;
    else if (found.next_wait > downtime)
      postpone(entry, found.next_wait - downtime);
    else
      unsorted_.push_back(entry);
  }
}

void QueueRunner::arrived(const mail::QueueEntry& entry) {
  routes_.update_clocks();
  place({.id = entry.id, .since = routes_.time(), .is_absolute = true});
}

void QueueRunner::leave_routes() {
  if (configuration_ == 0) return;
  routes_.update_clocks();
  ++shape_;
  for (Entry entry : routes_.take_due()) unsorted_.push_back(entry);
  for (Entry& entry : unsorted_) routes_.leave(entry);
  schedule_.release_changed([this](Entry& entry) { routes_.leave(entry); });
}

void QueueRunner::configure(SettlementPolicy policy, BouncePolicy bounces) {
  writer_.configure(policy, std::move(bounces));
  if (configuration_++ > 0) release_all();
  for (std::size_t left = unsorted_.size(); left > 0; --left) {
    Entry entry = unsorted_.front();
    unsorted_.pop_front();
    place(entry);
  }
  release_due();
  routes_.wake();
  changed_.notify();
}

void QueueRunner::release_all() {
  schedule_.release_all();
  released_ = loop_.clock().wall();
}

void QueueRunner::retry_all() {
  release_all();
  changed_.notify();
}

void QueueRunner::retry(const std::vector<mail::MailId>& ids) {
  schedule_.retry(ids);
  changed_.notify();
}

void QueueRunner::storage_is_back() { retry(writer_.take_short_of_storage()); }

Task<void> QueueRunner::stop(io::Until until) {
  stopping_ = true;
  co_await writer_.stop(until);
  cancel_.request();
  co_await nursery_.drained({});
}

std::size_t QueueRunner::queued() const {
  std::size_t parts =
      schedule_.size() + routes_.due() + unsorted_.size() + sorting_ + failing_ + under_way_.size() + held_;
  for (const auto& [id, under_way] : under_way_) parts += under_way.others.size();
  return parts - std::min(parts, parts_.surplus());
}

Backlog QueueRunner::backlog() const { return {.queued = queued(), .oldest = routes_.oldest()}; }

void QueueRunner::report(StatusReport& status) const {
  const std::size_t mails = queued();
  status.held = held_;
  status.deferred = std::min(schedule_.waiting(), mails - held_);
  status.active = mails - status.deferred - status.held;
  status.last_delivery = writer_.last_delivery();
  status.failed = writer_.outcomes().failed();
  status.released = released_;
}

// ---- time

Task<void> QueueRunner::keep_time() {
  while (!cancel_.is_requested()) {
    co_await changed_.wait({next_look(), &cancel_});
    routes_.update_clocks();
    release_due();
    routes_.sweep();
    routes_.remind(backlog());
  }
}

Instant QueueRunner::next_look() const {
  const Instant now = loop_.now();
  const Instant soonest = std::max(schedule_.next_release(), now + kBetweenPortions);
  const bool has_destinations = !routes_.destinations().lanes().empty();
  return std::min(soonest, now + (has_destinations ? kSweep : mail::kWaitStep));
}

void QueueRunner::release_due() {
  for (const Entry& entry : schedule_.release(loop_.now())) place(entry);
}

void QueueRunner::postpone(Entry entry, Duration wait) {
  Instant until = loop_.now() + wait;
  bool is_first = until < schedule_.next_release();
  schedule_.postpone(entry, until);
  if (is_first) changed_.notify();
}

// ---- onto the routes

// The mail, or this part of it, is due. With `first` it is the next.
void QueueRunner::place(Entry entry, bool first) {
  if (configuration_ > 0 && routes_.only() != nullptr) {
    routes_.enter(*routes_.only(), entry);
    return add_due(routes_.only(), entry, first);
  }
  if (first)
    unsorted_.push_front(entry);
  else
    unsorted_.push_back(entry);
  if (!std::exchange(is_sorting_, true)) nursery_.spawn(sort_mail());
}

void QueueRunner::add_due(const RoutePtr& route, Entry entry, bool first) {
  if (auto rest = routes_.furnish(route)) return postpone(entry, *rest);
  if (first)
    route->due().push_front(entry);
  else
    route->due().push_back(entry);
  route->wake();
}

// Before the first configuration nobody knows the routes.
Task<void> QueueRunner::sort_mail() {
  while (!unsorted_.empty() && configuration_ > 0 && !cancel_.is_requested()) {
    Entry entry = unsorted_.front();
    unsorted_.pop_front();
    ++sorting_;
    co_await sort(entry);
    --sorting_;
  }
  is_sorting_ = false;
}

// Looks at sender and recipients to see which way they take.
Task<void> QueueRunner::sort(Entry entry) {
  const std::uint64_t shape = shape_;
  Result<mail::QueuedMail, mail::SourceError> mail;
  auto room = co_await source_.make_room(entry.id, mail::Patience::some);
  if (room)
    mail = co_await source_.load(entry.id);
  else
    mail = std::unexpected(room.error());
  if (shape != shape_) routes_.leave(entry);
  if (mail)
    divide(std::move(*mail), entry);
  else if (mail.error().kind == SourceErrorKind::no_memory)
    postpone(entry, kReadRetry);
  else
    set_aside(entry, mail.error());
}

// One part for each route that its pending recipients take.
void QueueRunner::divide(mail::QueuedMail mail, Entry entry) {
  std::set<RoutePtr> routes;
  bool has_pending = false;
  for (std::size_t i = 0; i < mail.progress.recipients.size(); ++i) {
    if (!is_pending(mail.progress, i)) continue;
    has_pending = true;
    RoutePtr route = routes_.find(mail.envelope.sender, mail.envelope.recipients[i].address);
    if (entry.part == 0 || entry.part == route->part()) routes.insert(std::move(route));
  }
  if (!has_pending) return settle_owed(std::move(mail), entry);
  if (entry.part == 0 && parts_.end_one(entry.id)) return;  // its last part finds the way for all
  if (routes.empty()) {                                     // of its recipients, none is left
    if (parts_.end_one(entry.id)) return;
    routes_.leave(entry);
    return place(entry);
  }
  parts_.divide(entry.id, routes.size());
  for (const RoutePtr& route : routes) {
    Entry part = entry;
    if (!part.is_absolute) part.since -= mail.progress.waited;
    part.is_absolute = true;
    routes_.enter(*route, part);
    add_due(route, part, false);
  }
}

// ---- to the lanes

std::size_t QueueRunner::waiting(const smtpc::Lane& lane) const {
  std::size_t waiting = 0;
  if (hands_out())
    for (const RoutePtr& route : routes_.served_by(lane)) waiting += route->share_of(lane, loop_.now());
  return waiting;
}

bool QueueRunner::has_fresh(const smtpc::Lane& lane, const std::vector<mail::MailId>& avoid) const {
  return hands_out() && !lane.is_retired() &&
         std::ranges::any_of(routes_.served_by(lane), [&](const RoutePtr& route) {
           return route->is_paused() && route->due().has_other(avoid);
         });
}

Task<std::optional<smtpc::Job>> QueueRunner::take(const smtpc::Lane& lane, smtpc::Preference preference) {
  while (RoutePtr route = hands_out() ? routes_.next_for(lane) : nullptr) {
    const Entry entry = *route->due().pop(preference.avoid, preference.newest);
    if (!take_up(entry, route)) continue;
    route->note_given(lane);
    auto job = co_await load(entry.id, preference.patience);
    if (job && !job->recipients.empty()) co_return std::move(*job);
    const Entry back = end_attempt(entry.id).entry;
    if (job) {
      divide(std::move(job->mail), back);
      continue;
    }
    const bool is_short = job.error().kind == SourceErrorKind::no_memory;
    if (is_short) place(back, true);
    if (is_short) co_return std::nullopt;
    set_aside(back, job.error());
  }
  co_return std::nullopt;
}

// False: another part of the mail is under way; this one follows it.
bool QueueRunner::take_up(Entry entry, const RoutePtr& route) {
  routes_.update_clocks();
  auto [found, is_new] = under_way_.try_emplace(
      entry.id, UnderWay{.entry = entry, .route = route, .configuration = configuration_, .shape = shape_});
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
  keep_own(job, under_way);
  co_return job;
}

void QueueRunner::keep_own(smtpc::Job& job, const UnderWay& under_way) const {
  const mail::Envelope& envelope = job.mail.envelope;
  const bool is_for_all = routes_.only() != nullptr || under_way.shape != shape_;
  for (std::size_t i = 0; i < job.mail.progress.recipients.size(); ++i) {
    if (!is_pending(job.mail.progress, i)) continue;
    if (is_for_all ||
        routes_.part_of(envelope.sender, envelope.recipients[i].address) == under_way.entry.part)
      job.recipients.push_back(i);
  }
}

void QueueRunner::settle_owed(mail::QueuedMail mail, Entry entry) {
  if (!mail.progress.owes_notice())
    return set_aside(entry, {SourceErrorKind::damaged, "the mail is queued without a pending recipient"});
  if (take_up(entry, nullptr)) writer_.settle_owed_notice(std::move(mail));
}

void QueueRunner::set_aside(Entry entry, const mail::SourceError& error) {
  if (error.kind == SourceErrorKind::unknown_mail) return parts_.end_all(entry.id);
  bool is_damaged = error.kind == SourceErrorKind::damaged;
  log_.error(is_damaged ? "a queued mail is damaged and will not be sent"
                        : "a queued mail cannot be read; it will be tried again",
             {{"id", to_text(entry.id)}, {"reason", error.text}});
  if (!is_damaged) return postpone(entry, kReadRetry);
  if (!parts_.end_one(entry.id)) ++held_;
}

// ---- and back

smtpc::TicketPtr QueueRunner::settle(smtpc::Job job, smtpc::TransactionResult result,
                                     smtpc::UsedConnection used) {
  UnderWay& under_way = under_way_.at(job.mail.id);
  turn_over(under_way, job, result, used.smarthost);
  if (!job.recipients.empty())
    return writer_.settle(std::move(job), result, used, wait_to_record(under_way, job.mail));
  const UnderWay was = end_attempt(job.mail.id);
  add_due(was.next, was.entry, true);
  auto ticket = std::make_shared<smtpc::Ticket>(loop_);
  ticket->set_done();
  return ticket;
}

// Of a mail in several parts the shortest time is recorded, so that after a restart none is given up early.
Duration QueueRunner::wait_to_record(const UnderWay& under_way, const mail::QueuedMail& mail) const {
  const Duration waited = mail.progress.waited;
  return parts_.has_several(mail.id) ? std::min(waited, under_way.recorded) : waited;
}

// What this smarthost cannot take goes to the next that is left on the route, if there is one: to that nothing
// has happened yet.
void QueueRunner::turn_over(UnderWay& under_way, smtpc::Job& job, const smtpc::TransactionResult& result,
                            const std::string& smarthost) {
  auto is_left_over = [&](std::size_t recipient) {
    const smtpc::Refusal* refusal = refusal_of(result, recipient);
    return refusal != nullptr && is_unfit(*refusal);
  };
  if (under_way.shape != shape_ || std::ranges::none_of(job.recipients, is_left_over)) return;
  under_way.next = routes_.without(*under_way.route, smarthost);
  if (under_way.next != nullptr) std::erase_if(job.recipients, is_left_over);
}

void QueueRunner::fail_due(const std::vector<RoutePtr>& routes, const mail::Failure& why,
                           const std::string& smarthost) {
  for (const RoutePtr& route : routes) {
    auto due = route->due().take_all();
    if (due.empty()) continue;
    if (Destinations::is_network(why))
      for (const Entry& entry : due) postpone(entry, Destinations::kNetworkWait);
    else
      nursery_.spawn(fail(std::move(due), route, why, smarthost));
  }
}

Task<void> QueueRunner::fail(std::deque<Entry> entries, RoutePtr route, mail::Failure why,
                             std::string smarthost) {
  failing_ += entries.size();
  for (const Entry& entry : entries) {
    --failing_;
    if (!hands_out()) {
      postpone(entry, kReadRetry);
      continue;
    }
    if (!take_up(entry, route)) continue;
    auto job = co_await load(entry.id, mail::Patience::some);
    if (job && !job->recipients.empty()) {
      smtpc::TransactionResult result;
      result.rest = refusal_by_destination(why);
      (void)settle(std::move(*job), std::move(result), {.smarthost = smarthost, .address = {}, .tls = {}});
      continue;
    }
    const Entry back = end_attempt(entry.id).entry;
    if (job)
      divide(std::move(job->mail), back);
    else if (job.error().kind == SourceErrorKind::no_memory)
      postpone(back, kReadRetry);
    else
      set_aside(back, job.error());
  }
}

void QueueRunner::put_back(smtpc::Job job) { place(end_attempt(job.mail.id).entry, true); }

// The entry fits the routes that there are now.
QueueRunner::UnderWay QueueRunner::end_attempt(mail::MailId id) {
  auto found = under_way_.find(id);
  check(found != under_way_.end(), "a mail comes back that was not under way");
  UnderWay under_way = std::move(found->second);
  under_way_.erase(found);
  if (under_way.shape != shape_) {
    if (under_way.route != nullptr) routes_.leave(under_way.entry, *under_way.route);
    for (Entry& other : under_way.others) other.part = 0;
    under_way.next = nullptr;
  }
  for (const Entry& other : under_way.others) place(other, true);
  return under_way;
}

// What failed with the configuration of before a reload is tried again with the new one at once. The time
// keeper looks too: the mail may have used up the rate, and the route's time stands still until that is over.
void QueueRunner::requeue(mail::MailId id, const Settlement& settlement) {
  const UnderWay was = end_attempt(id);
  changed_.notify();
  if (settlement.is_over || settlement.progress.held) {
    if (settlement.progress.held) ++held_;
    return parts_.end_all(id);
  }
  if (was.next != nullptr) return add_due(was.next, was.entry, true);
  auto is_left = [&](const SettledRecipient& tried) {
    return is_pending(settlement.progress, tried.recipient);
  };
  const bool is_part_left =
      settlement.progress.is_settled() || std::ranges::any_of(settlement.recipients, is_left);
  if (!is_part_left && parts_.end_one(id)) return;
  const bool is_corrected = was.configuration != configuration_;
  if (settlement.progress.next_wait > Duration{0} && !is_corrected)
    postpone(was.entry, settlement.progress.next_wait);
  else
    place(was.entry);
}

}  // namespace hikyaku::relay
