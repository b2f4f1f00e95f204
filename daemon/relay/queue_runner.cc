// SPDX-License-Identifier: MIT
#include "daemon/relay/queue_runner.h"

#include <algorithm>
#include <utility>

#include "daemon/mail/retry.h"

namespace hikyaku::relay {
namespace {

constexpr Duration kReadRetry = 1min;
constexpr Duration kBetweenPortions = 1ms;  // of what becomes due at once: the loop serves others meanwhile
constexpr Duration kReminder = 24h;         // between two lines about a smarthost that stays paused

}  // namespace

QueueRunner::QueueRunner(io::Loop& loop, mail::MailSource& source, mail::MailSink& sink, log::MailLog& log,
                         Jitter jitter, std::function<void(const mail::Smarthost&)> on_accepted)
    : loop_(loop),
      source_(source),
      log_(log),
      jitter_(std::move(jitter)),
      on_accepted_(std::move(on_accepted)),
      route_clock_(loop.now()),
      bouncer_(loop, source, sink),
      outcomes_(loop),
      last_reminder_(loop.now()),
      changed_(loop),
      nursery_(loop) {
  nursery_.spawn(keep_time());
}

QueueRunner::~QueueRunner() = default;

void QueueRunner::adopt(const std::vector<mail::QueueEntry>& entries, Duration downtime) {
  for (const mail::QueueEntry& found : entries) {
    Entry entry{found.id, -downtime};
    if (found.held)
      ++held_;
    else if (found.next_wait > downtime)
      postpone(entry, found.next_wait - downtime);
    else
      schedule_.add_due(entry);
  }
  wake_lanes();
}

void QueueRunner::arrived(const mail::QueueEntry& entry) {
  route_clock_.update(loop_.now(), is_route_up());
  schedule_.add_due({entry.id, route_clock_.time()});
  wake_lanes();
}

void QueueRunner::configure(std::vector<std::shared_ptr<smtpc::Lane>> lanes, SettlementPolicy policy,
                            BouncePolicy bounces) {
  lanes_ = std::move(lanes);
  policy_ = policy;
  bouncer_.configure(std::move(bounces));
  if (configuration_++ > 0) release_all();
  release_due();
  wake_lanes();
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
  schedule_.hurry(ids);
  changed_.notify();
}

Task<void> QueueRunner::stopped(io::Until until) {
  stopping_ = true;
  co_await settled(until);
  cancel_.request();
  co_await nursery_.drained({});
}

Task<void> QueueRunner::settled(io::Until until) {
  while (writing_ > 0) {
    auto woken = co_await changed_.wait(until);
    if (woken != io::Woken::ready) co_return;
  }
}

// ---- time

Task<void> QueueRunner::keep_time() {
  while (!cancel_.is_requested()) {
    co_await changed_.wait({next_look(), &cancel_});
    route_clock_.update(loop_.now(), is_route_up());
    release_due();
    remind();
  }
}

Instant QueueRunner::next_look() const {
  Instant now = loop_.now();
  Instant soonest = std::max(schedule_.next_release(), now + kBetweenPortions);
  return std::min(soonest, now + mail::kWaitStep);
}

void QueueRunner::release_due() {
  if (schedule_.release(loop_.now())) wake_lanes();
}

void QueueRunner::postpone(Entry entry, Duration wait) {
  Instant until = loop_.now() + wait;
  bool is_first = until < schedule_.next_release();
  schedule_.postpone(entry, until);
  if (is_first) changed_.notify();
}

void QueueRunner::wake_lanes() {
  for (const auto& lane : lanes_) lane->wake();
}

void QueueRunner::remind() {
  if (loop_.now() - last_reminder_ < kReminder) return;
  last_reminder_ = loop_.now();
  for (const auto& lane : lanes_)
    if (lane->health().is_paused()) log_state(*lane);
}

// ---- lanes

const smtpc::Lane* QueueRunner::first_up() const {
  auto first = std::ranges::find_if(lanes_, [](const auto& lane) { return !lane->health().is_paused(); });
  return first == lanes_.end() ? nullptr : first->get();
}

// A rate that is used up for long is like a pause: nobody could be refused meanwhile.
bool QueueRunner::is_route_up() const {
  const smtpc::Lane* first = first_up();
  return lanes_.empty() || (first != nullptr && first->next_permitted() <= loop_.now() + mail::kWaitStep);
}

// A paused lane takes mail only for its probe; of the others the first one does.
bool QueueRunner::is_turn_of(const smtpc::Lane& lane) const {
  if (lane.health().is_paused()) return lane.is_probing() && !lane.is_retired();
  return first_up() == &lane;
}

std::size_t QueueRunner::waiting(const smtpc::Lane& lane) const {
  return unwritten_ == 0 && !stopping_ && is_turn_of(lane) ? schedule_.due() : 0;
}

bool QueueRunner::has_fresh(const smtpc::Lane& lane, const std::vector<mail::MailId>& avoid) const {
  return unwritten_ == 0 && !stopping_ && !lane.is_retired() && first_up() == nullptr &&
         schedule_.has_other(avoid);
}

Task<std::optional<smtpc::Job>> QueueRunner::take(const smtpc::Lane& lane, smtpc::Preference preference) {
  while (waiting(lane) > 0) {
    Entry entry = *schedule_.pop(preference.avoid, preference.newest);
    route_clock_.update(loop_.now(), is_route_up());
    under_way_[entry.id] = {entry, route_clock_.time(), configuration_};
    auto job = co_await load(entry, preference.patience);
    if (job && !job->recipients.empty()) co_return std::move(*job);
    if (job) {
      tell_later(std::move(job->mail));
      continue;
    }
    under_way_.erase(entry.id);
    bool is_short = job.error().kind == mail::SourceErrorKind::no_memory;
    if (is_short) schedule_.add_due_first(entry);
    if (is_short) co_return std::nullopt;
    set_aside(entry, job.error());
  }
  co_return std::nullopt;
}

// Nobody of the job is pending where only its sender is still to be told.
Task<Result<smtpc::Job, mail::SourceError>> QueueRunner::load(Entry entry, mail::Patience patience) {
  auto room = co_await source_.make_room(entry.id, patience);
  if (!room) co_return std::unexpected(room.error());
  auto mail = co_await source_.load(entry.id);
  if (!mail) co_return std::unexpected(mail.error());
  mail->room = std::move(*room);
  auto content = source_.open(entry.id);
  if (!content) co_return std::unexpected(content.error());
  smtpc::Job job{.mail = std::move(*mail), .recipients = {}, .content = std::move(*content)};
  job.mail.progress.waited += under_way_[entry.id].taken - entry.since;
  for (std::size_t i = 0; i < job.mail.progress.recipients.size(); ++i)
    if (job.mail.progress.recipients[i].state == mail::RecipientState::pending) job.recipients.push_back(i);
  if (job.recipients.empty() && !job.mail.progress.owes_notice())
    co_return fail(mail::SourceErrorKind::damaged, "nobody is pending, and yet it is queued");
  co_return job;
}

void QueueRunner::set_aside(Entry entry, const mail::SourceError& error) {
  if (error.kind == mail::SourceErrorKind::unknown_mail) return;
  bool is_damaged = error.kind == mail::SourceErrorKind::damaged;
  log_.error(is_damaged ? "a queued mail is damaged and will not be sent"
                        : "a queued mail cannot be read; it will be tried again",
             {{"id", to_text(entry.id)}, {"reason", error.text}});
  if (is_damaged)
    ++held_;
  else
    postpone(entry, kReadRetry);
}

void QueueRunner::put_back(smtpc::Job job) {
  schedule_.add_due_first(under_way_[job.mail.id].entry);
  under_way_.erase(job.mail.id);
  wake_lanes();
}

void QueueRunner::lane_changed(const smtpc::Lane& lane) {
  route_clock_.update(loop_.now(), is_route_up());
  log_state(lane);
  wake_lanes();
}

}  // namespace hikyaku::relay
