// SPDX-License-Identifier: MIT
// What has become of a mail so far: the whole state, never a delta, so that the newest record alone counts.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "daemon/base/clock.h"

namespace hikyaku::mail {

enum class RecipientState : std::uint8_t { pending, delivered, failed };

struct RecipientProgress {
  RecipientState state = RecipientState::pending;
  std::string last_reply;    // the smarthost's, or our own words; made printable, at most 1 KiB
  bool owes_notice = false;  // delivered, and the sender, who asked to hear of it, has not been told yet
  bool operator==(const RecipientProgress&) const = default;
};

struct Progress {
  std::vector<RecipientProgress> recipients;  // one for each of the envelope's, in its order
  std::uint32_t attempts = 0;                 // those that count against the mail's own schedule
  Duration waited{0};          // towards queue.lifetime; accumulated, not a wall-clock deadline
  Duration next_wait{0};       // how much of the current backoff is left
  bool held = false;           // waits for the operator
  std::string reason;          // why it is held or deferred, plain words
  std::string smarthost;       // last tried, by its name
  bool delay_noticed = false;  // a delay notice has been sent
  bool operator==(const Progress&) const = default;

  bool is_settled() const {  // nobody is pending
    for (const RecipientProgress& recipient : recipients)
      if (recipient.state == RecipientState::pending) return false;
    return true;
  }
  bool owes_notice() const {
    return std::ranges::find(recipients, true, &RecipientProgress::owes_notice) != recipients.end();
  }
};

}  // namespace hikyaku::mail
