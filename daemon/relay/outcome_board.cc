// SPDX-License-Identifier: MIT
#include "daemon/relay/outcome_board.h"

#include <algorithm>
#include <utility>

#include "daemon/io/loop.h"

namespace hikyaku::relay {
namespace {

constexpr Duration kFailuresKept = 24h;
constexpr std::size_t kMostFailures = 1000;
constexpr std::ptrdiff_t kMostOfOneUser = 100;
constexpr std::size_t kLongestAddress = 320;
constexpr std::size_t kLongestReply = 500;

// The approximate memory of an outcome, its places in the list and in the table included.
std::size_t size_of(const MailOutcome& outcome) {
  std::size_t size = 200 + sizeof outcome + outcome.reason.size();
  for (const auto& recipient : outcome.recipients)
    size += sizeof recipient + recipient.address.size() + recipient.progress.last_reply.size();
  return size;
}

}  // namespace

bool MailOutcome::is_settled() const {
  return std::ranges::none_of(recipients, [](const Recipient& recipient) {
    return recipient.progress.state == mail::RecipientState::pending;
  });
}

MailOutcome outcome_of(const mail::QueuedMail& mail) { return outcome_of(mail, mail.progress, false); }

MailOutcome outcome_of(const mail::QueuedMail& mail, const mail::Progress& now, bool is_over) {
  MailOutcome outcome{.id = mail.id,
                      .uid = mail.envelope.uid,
                      .is_over = is_over,
                      .is_held = now.held,
                      .attempts = now.attempts,
                      .reason = now.reason,
                      .recipients = {}};
  for (std::size_t i = 0; i < mail.envelope.recipients.size() && i < now.recipients.size(); ++i)
    outcome.recipients.push_back({mail.envelope.recipients[i].address, now.recipients[i]});
  return outcome;
}

void OutcomeBoard::note(MailOutcome outcome) {
  auto [first, last] = watches_.equal_range(outcome.id);
  for (auto watch = first; watch != last; ++watch) {
    watch->second->seen = outcome;
    watch->second->waiter.wake();
  }
  if (outcome.is_over) keep_failure(outcome);
  auto before = by_id_.find(outcome.id);
  if (before != by_id_.end()) forget(before->second);
  std::size_t size = size_of(outcome);
  // An outcome that would push out nearly all others is only passed to those who wait for it.
  if (size > memory_ / 4) return;
  used_ += size;
  kept_.push_back({std::move(outcome), size});
  by_id_[kept_.back().outcome.id] = std::prev(kept_.end());
  while (used_ > memory_) forget(kept_.begin());
}

// A user with many failed mails pushes out their own only.
void OutcomeBoard::keep_failure(const MailOutcome& outcome) {
  auto is_failed = [](const auto& recipient) {
    return recipient.progress.state == mail::RecipientState::failed;
  };
  auto first = std::ranges::find_if(outcome.recipients, is_failed);
  if (first == outcome.recipients.end()) return;
  auto count = static_cast<std::size_t>(std::ranges::count_if(outcome.recipients, is_failed));
  failures_.push_back(
      {loop_.now(),
       {outcome.id, outcome.uid, loop_.clock().wall(), first->address.substr(0, kLongestAddress),
        first->progress.last_reply.substr(0, kLongestReply), count - 1}});
  auto is_theirs = [&](const Failure& failure) { return failure.mail.uid == outcome.uid; };
  if (std::ranges::count_if(failures_, is_theirs) > kMostOfOneUser)
    failures_.erase(std::ranges::find_if(failures_, is_theirs));
  while (failures_.size() > kMostFailures) failures_.pop_front();
}

std::vector<mail::FailedMail> OutcomeBoard::failed(std::optional<std::uint32_t> uid) const {
  std::vector<mail::FailedMail> mails;
  for (auto failure = failures_.rbegin(); failure != failures_.rend(); ++failure)
    if (loop_.now() - failure->at < kFailuresKept && (!uid || failure->mail.uid == uid))
      mails.push_back(failure->mail);
  return mails;
}

std::size_t OutcomeBoard::failed() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      failures_, [&](const Failure& failure) { return loop_.now() - failure.at < kFailuresKept; }));
}

void OutcomeBoard::forget(std::list<Kept>::iterator kept) {
  used_ -= kept->size;
  by_id_.erase(kept->outcome.id);
  kept_.erase(kept);
}

std::optional<MailOutcome> OutcomeBoard::find(mail::MailId id) const {
  auto found = by_id_.find(id);
  if (found == by_id_.end()) return std::nullopt;
  return found->second->outcome;
}

Task<std::optional<MailOutcome>> OutcomeBoard::next(mail::MailId id, io::Until until) {
  Watch watch(loop_);
  auto place = watches_.emplace(id, &watch);
  co_await watch.waiter.park(until);
  watches_.erase(place);
  co_return std::move(watch.seen);
}

}  // namespace hikyaku::relay
