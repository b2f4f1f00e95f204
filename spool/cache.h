// SPDX-License-Identifier: MIT
// What has just arrived is still at hand: most mail is sent on within a second, and then it is never read
// back from the disk. Holds only what the memory budget has left; the oldest goes first. Loop thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "daemon/mail/mail_id.h"
#include "spool/budget.h"
#include "spool/payload.h"

namespace hikyaku::spool {

// Readers keep it alive, and its memory counted, beyond the cache.
struct CachedMail {
  MessageHead head;
  std::string content;
  Reservation reservation;
};
using CachedMailPtr = std::shared_ptr<const CachedMail>;

class Cache {
 public:
  void put(mail::MailId id, CachedMailPtr mail) { mails_[id] = std::move(mail); }
  void drop(mail::MailId id) { mails_.erase(id); }
  CachedMailPtr find(mail::MailId id) const {
    auto found = mails_.find(id);
    return found == mails_.end() ? nullptr : found->second;
  }
  // Ids grow, so the first is the oldest. False: empty.
  bool evict_oldest() {
    if (mails_.empty()) return false;
    mails_.erase(mails_.begin());
    return true;
  }

 private:
  std::map<mail::MailId, CachedMailPtr> mails_;
};

}  // namespace hikyaku::spool
