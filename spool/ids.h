// SPDX-License-Identifier: MIT
// Assigns the ids of mails: never one twice, across restarts, restores of old spools and clock changes. Each
// start skips more ids beyond the highest seen than a run can have assigned without recording them, or begins
// at the clock's time if that is higher; a clock that was set back has no effect.
#pragma once

#include <algorithm>
#include <cstdint>

#include "daemon/base/clock.h"
#include "daemon/mail/mail_id.h"

namespace hikyaku::spool {

class Ids {
 public:
  Ids(mail::MailId highest_seen, WallTime now) {
    constexpr std::uint64_t kStride = 1U << 20;
    auto clock = static_cast<std::uint64_t>(std::max<std::int64_t>(now.time_since_epoch().count(), 0));
    highest_.value = std::max(highest_seen.value + kStride, clock);
  }

  mail::MailId assign() {
    ++highest_.value;
    return highest_;
  }
  mail::MailId highest() const { return highest_; }

 private:
  mail::MailId highest_;
};

}  // namespace hikyaku::spool
