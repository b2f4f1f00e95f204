// SPDX-License-Identifier: MIT
// A queued mail as far as lists need no record of it: what the spool's index knows, with the reason that its code
// stands for. The same from the record, where the index does not know it (mail of version 0.1). Whoever counts,
// groups, sorts or leaves out by these never reads a million records. Has no addresses: those are in the record.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "daemon/mail/common_reason.h"
#include "daemon/mail/queue_state.h"
#include "spool/queue_view.h"

namespace hikyaku::listing {

struct MailBrief {
  mail::MailId id;
  std::uint64_t size = 0;
  WallTime arrival;  // in whole seconds
  WallTime written;  // when its state was written down
  Duration next_wait{0};
  std::uint32_t attempts = 0;  // 4095: or more
  bool is_held = false;
  mail::CommonReasonPtr reason;  // never null
  std::optional<mail::Holder> holder{};
};

MailBrief brief_of(const spool::ViewedMail& mail);
// Reads at most one record for each reason there is. nullopt: this mail's record must tell.
std::optional<MailBrief> brief_of(spool::QueueView& view, const spool::Glance& glance);

// With the common reason, where it is the mail's own.
mail::MailState state_of(const MailBrief& brief, const mail::RouteState& route, bool is_operator);

enum class SortBy : std::uint8_t { time, size, age, next, attempts };
std::optional<SortBy> parse_sort_by(std::string_view name);
// What comes first has the smaller key: the newest, the largest, the oldest, the one that is tried next (first what
// is being sent, last what is held), the one that was tried most often.
std::int64_t sort_key(SortBy by, const MailBrief& brief, const mail::MailState& state);

}  // namespace hikyaku::listing
