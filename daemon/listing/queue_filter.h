// SPDX-License-Identifier: MIT
// Which queued mails are wanted, by what they are: the filters of `hikyaku queue` and of the control socket's
// requests, which have the same names. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/clock.h"
#include "daemon/base/error.h"
#include "daemon/listing/mail_brief.h"
#include "daemon/mail/queue_state.h"
#include "spool/queue_view.h"

namespace hikyaku::listing {

// All that are set must match. Patterns are shell patterns, matched case-insensitively against the whole address;
// "<>" is the null sender.
struct QueueFilter {
  std::optional<mail::QueueState> state{};
  std::optional<std::string> from{};
  std::optional<std::string> to{};         // any recipient
  std::optional<std::string> smarthost{};  // the one that was tried last
  // A part of the reason for waiting, in any case, with "<...>" for each address.
  std::optional<std::string> reason{};
  std::optional<WallTime> arrived_before{};  // in whole seconds

  // `is_operator`: who asks may see reasons that are for operators only.
  bool matches(const spool::ViewedMail& mail, const mail::RouteState& route, bool is_operator) const;
  // The same without the record; nullopt: the addresses decide, which only the record can tell.
  std::optional<bool> judge(const MailBrief& mail, const mail::RouteState& route, bool is_operator) const;
};

inline constexpr std::string_view kFilterNames[] = {"state",     "from",   "to",
                                                    "smarthost", "reason", "older_than"};
bool is_filter(std::string_view name);
// Sets the filter `name`, one of kFilterNames. The error says which values there are.
Result<void, std::string> set_filter(QueueFilter& filter, std::string_view name, const std::string& value,
                                     WallTime now);

}  // namespace hikyaku::listing
