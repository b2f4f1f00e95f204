// SPDX-License-Identifier: MIT
// What `hikyaku queue` prints of many mails: the overview, a count, groups, or a line for each, in the spool's order
// or sorted. Goes by what the index tells of each mail, and reads only the records that are printed or searched.
// What a search has found is printed before it goes on. Blocks.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/commands/output.h"
#include "daemon/commands/progress.h"
#include "daemon/listing/queue_filter.h"
#include "daemon/listing/queue_overview.h"
#include "spool/queue_view.h"

namespace hikyaku::commands {

struct ListOptions {
  bool all = false;
  std::map<std::string, std::string> filters{};
  bool json = false;
  bool count = false;
  std::string by{};
  std::string sort{};
  std::size_t limit = 0;  // 0: none

  bool is_overview() const {
    return !all && filters.empty() && !json && !count && by.empty() && sort.empty() && limit == 0;
  }
};

class QueueList {
 public:
  // All must outlive it.
  QueueList(const ListOptions& options, spool::QueueView& view, const mail::RouteState& route,
            Output& output);

  // Leaves out mail that ends while the list is made. Reports damaged mail and continues with the rest. `drops`
  // says what waits outside the spool, or nothing. Returns usage if a filter is not understood.
  Exit print(const std::string& drops);

 private:
  Result<void, StartError> understand();
  void walk();
  void give_up(const spool::ViewError& error);
  void look_at(const spool::Glance& glance);
  bool needs_record() const;
  void take(const listing::MailBrief& brief, const spool::ViewedMail* mail);
  void print_line(const spool::ViewedMail& mail);
  void print_sorted();
  void describe_listed();
  void finish(const std::string& drops);
  std::optional<spool::ViewedMail> load(mail::MailId id);

  const ListOptions& options_;
  spool::QueueView& view_;
  const mail::RouteState& route_;
  Output& output_;
  WallTime now_;
  listing::QueueFilter filter_;
  listing::QueueOverview overview_;
  std::optional<listing::QueueGroups> groups_;
  std::optional<listing::SortBy> sort_;
  std::vector<std::pair<std::int64_t, mail::MailId>> sorted_;  // by their keys, once all are known
  std::optional<Progress> progress_;                           // not beside lines that come out at once
  std::size_t mails_ = 0;
  bool is_done_ = false;       // no more mails are wanted
  bool is_cut_short_ = false;  // the rest cannot be read
  Exit exit_ = Exit::ok;
};

}  // namespace hikyaku::commands
