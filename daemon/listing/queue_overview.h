// SPDX-License-Identifier: MIT
// The whole queue on one screen, however long it is: how many mails are in which state, a line for each reason that
// mail waits for, and the oldest and newest mails in columns. Memory and text are bounded. Foreign text is made
// printable here. Pure, but for the machine's time zone.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "daemon/listing/mail_brief.h"
#include "daemon/mail/queue_state.h"
#include "spool/queue_view.h"

namespace hikyaku::listing {

class QueueOverview {
 public:
  // Mails come oldest first.
  void add(const MailBrief& mail, const mail::MailState& state);
  // Of which mails the addresses are shown too, and these: those that have none are shown without.
  std::vector<mail::MailId> listed() const;
  void describe(const spool::ViewedMail& mail);
  // Several lines. Columns are cut so that a line has at most `width` characters; nullopt: nothing is cut.
  std::string text(WallTime now, std::optional<std::size_t> width, bool has_bold = false) const;
  std::size_t mails() const { return mails_; }

 private:
  struct Cause {
    mail::QueueState state;
    mail::WaitsFor waits_for;
    std::string reason;
    auto operator<=>(const Cause&) const = default;
  };
  struct Waiting {
    std::size_t mails = 0;
    std::optional<WallTime> next{};  // the first of them
  };
  struct Row {
    mail::MailId id;
    std::string_view state;
    std::string node;  // of a shared spool
    WallTime arrival;
    std::uint64_t size = 0;
    std::string addresses;
  };
  void count_cause(const mail::MailState& state);
  std::string summary(WallTime now) const;
  std::string causes(WallTime now) const;
  std::string rows(WallTime now, std::optional<std::size_t> width) const;

  std::size_t mails_ = 0;
  WallTime first_ = WallTime::max();  // arrival of any; ids of a shared spool are not quite in that order
  bool is_shared_ = false;
  std::map<mail::QueueState, std::size_t> states_;
  std::map<Cause, Waiting> causes_;
  std::vector<Row> oldest_;
  std::deque<Row> newest_;
};

// The queue counted by one property of its mails, as qshape(1) and exiqsumm(8) do: by the domain of pending
// recipients, by age, sender, smarthost, or by the reason for waiting.
enum class GroupBy : std::uint8_t { domain, age, reason, sender, smarthost };
std::optional<GroupBy> parse_group_by(std::string_view name);

class QueueGroups {
 public:
  explicit QueueGroups(GroupBy by) : by_(by) {}
  // Whether the groups are made of addresses.
  bool needs_records() const { return by_ == GroupBy::domain || by_ == GroupBy::sender; }
  // Unless it needs records.
  void add(const MailBrief& mail, const mail::MailState& state, WallTime now);
  // If it does. A mail with pending recipients in several domains counts in each of them, once.
  void add(const spool::ViewedMail& mail);
  // A line for each group, the largest first: number of mails, and what they have in common. By age: the youngest
  // first.
  std::string text() const;
  std::string json() const;  // one object: {"by":NAME,"groups":[{"what","mails"}]}

 private:
  using Groups = std::map<std::string, std::size_t>;
  Groups shown() const;

  GroupBy by_;
  std::unordered_map<std::string, std::size_t> counts_;  // by what they have in common, not yet printable
};

// "12 s", "4 min", "3 h", "5 d": the largest unit of which there are two, or one.
std::string rough(Duration duration);

}  // namespace hikyaku::listing
