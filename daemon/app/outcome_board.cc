// SPDX-License-Identifier: MIT
#include "daemon/app/outcome_board.h"

#include <algorithm>
#include <utility>

namespace hikyaku::app {
namespace {

// About what it takes in memory, its places in the list and in the table included.
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
  auto before = by_id_.find(outcome.id);
  if (before != by_id_.end()) forget(before->second);
  std::size_t size = size_of(outcome);
  // One that would push out nearly all others is for those who wait for it.
  if (size > memory_ / 4) return;
  used_ += size;
  kept_.push_back({std::move(outcome), size});
  by_id_[kept_.back().outcome.id] = std::prev(kept_.end());
  while (used_ > memory_) forget(kept_.begin());
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

}  // namespace hikyaku::app
