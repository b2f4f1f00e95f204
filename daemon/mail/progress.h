// SPDX-License-Identifier: MIT
// The progress of a mail so far: the whole state, never a delta, so that only the newest record counts.
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
  std::string last_reply;    // of the smarthost, or our own text; printable, at most 1 KiB
  bool owes_notice = false;  // delivered, but the sender, who asked for a notice, has not been sent one yet
  bool operator==(const RecipientProgress&) const = default;
};

struct Progress {
  std::vector<RecipientProgress> recipients;  // one for each recipient of the envelope, in its order
  std::uint32_t attempts = 0;                 // attempts that count in the mail's own schedule
  Duration waited{0};          // towards queue.lifetime; accumulated, not a wall-clock deadline
  Duration next_wait{0};       // what is left of the current backoff
  bool held = false;           // waits for the operator
  std::string reason;          // why the mail is held or deferred, in plain words
  std::string smarthost;       // the name of the last one tried
  bool delay_noticed = false;  // a delay notice has been sent
  bool operator==(const Progress&) const = default;

  bool is_pending(std::size_t recipient) const {
    return recipients[recipient].state == RecipientState::pending;
  }
  bool is_settled() const {  // no recipient is pending
    for (const RecipientProgress& recipient : recipients)
      if (recipient.state == RecipientState::pending) return false;
    return true;
  }
  bool owes_notice() const {
    return std::ranges::find(recipients, true, &RecipientProgress::owes_notice) != recipients.end();
  }
};

// Of a mail that nobody has tried yet.
inline Progress untouched_progress(std::size_t recipients) {
  Progress progress;
  progress.recipients.resize(recipients);
  return progress;
}

}  // namespace hikyaku::mail
