// SPDX-License-Identifier: MIT
// Mails that have just arrived, in memory: most mail is sent on within a second, and is then never read back
// from the disk. Uses only memory that the budget has left; the oldest mail is evicted first. Loop thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "daemon/mail/mail_id.h"
#include "spool/budget.h"
#include "spool/payload.h"

namespace hikyaku::spool {

// Readers keep it alive, and its memory counted, beyond the cache. Head and content stay as they are.
struct CachedMail {
  MessageHead head;
  std::string content;
  Reservation reservation;
};
using CachedMailPtr = std::shared_ptr<const CachedMail>;

class Cache {
 public:
  // If the budget has room for it.
  void put(mail::MailId id, std::shared_ptr<CachedMail> mail) {
    std::uint64_t bytes = kOverhead + mail::memory_of(mail->head.envelope) + mail->content.capacity();
    if (mail->reservation.move_to(Share::cache, bytes)) mails_[id] = std::move(mail);
  }
  void drop(mail::MailId id) { mails_.erase(id); }
  CachedMailPtr find(mail::MailId id) const {
    auto found = mails_.find(id);
    return found == mails_.end() ? nullptr : found->second;
  }
  // Ids grow, so the first is the oldest. Returns false if the cache is empty.
  bool evict_oldest() {
    if (mails_.empty()) return false;
    mails_.erase(mails_.begin());
    return true;
  }

 private:
  static constexpr std::size_t kOverhead = 512;
  std::map<mail::MailId, CachedMailPtr> mails_;
};

}  // namespace hikyaku::spool
