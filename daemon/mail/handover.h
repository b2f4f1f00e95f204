// SPDX-License-Identifier: MIT
// What travels with a mail from one hikyaku to another when a queue is emptied (`hikyaku drain --to`), beside its
// envelope: since when it is queued, and how far its schedule has got, so that it is neither given up later nor
// reported as late more often than if it had stayed. Nothing of the failures so far: the new relay has smarthosts of
// its own, and tries at once. A private parameter of MAIL, which only those may say whom the operator has named
// (`allow` with `peer: true`), and which is said in a drain only. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/clock.h"
#include "daemon/mail/progress.h"

namespace hikyaku::mail {

struct QueuedMail;

// The keyword in the reply to EHLO, and the parameter.
inline constexpr std::string_view kHandoverKeyword = "XHIKYAKU";

struct Handover {
  WallTime arrival;
  Duration waited{0};  // these as in Progress
  std::uint32_t attempts = 0;
  bool delay_noticed = false;
  bool operator==(const Handover&) const = default;
};

Handover handover_of(const QueuedMail& mail);
// With which the mail begins at its new place, for so many recipients. It is due.
Progress progress_of(const Handover& handover, std::size_t recipients);

// The parameter's value, "1764464400000000,3600000000,7,0": arrival since 1970 and waiting time in microseconds,
// attempts, and 1 if a delay notice has been sent.
std::string to_text(const Handover& handover);
// nullopt for anything else; also for times beyond a century, and more than a million attempts: nothing that is
// calculated from them overflows.
std::optional<Handover> parse_handover(std::string_view text);

}  // namespace hikyaku::mail
