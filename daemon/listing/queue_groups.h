// SPDX-License-Identifier: MIT
// The queue counted by one property of its mails, as qshape(1) and exiqsumm(8) do: by the domain of pending
// recipients, by age, sender, smarthost, or by the reason for waiting. Foreign text is made printable here. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/mail/queue_state.h"
#include "spool/view.h"

namespace hikyaku::listing {

enum class GroupBy : std::uint8_t { domain, age, reason, sender, smarthost };
std::optional<GroupBy> parse_group_by(std::string_view name);

class QueueGroups {
 public:
  explicit QueueGroups(GroupBy by) : by_(by) {}
  // A mail with pending recipients in several domains counts in each of them, once.
  void add(const spool::ViewedMail& mail, const mail::MailState& state, WallTime now);
  // A line for each group, the largest first: number of mails, and what they have in common. By age: the youngest
  // first.
  std::string text() const;
  std::string json() const;  // one object: {"by":NAME,"groups":[{"what","mails"}]}

 private:
  GroupBy by_;
  std::map<std::string, std::size_t> groups_;
};

}  // namespace hikyaku::listing
