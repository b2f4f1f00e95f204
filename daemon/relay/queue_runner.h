// SPDX-License-Identifier: MIT
// Decides when which mail is tried: everything that is queued is due on a route, waits for its time, or is under
// way. Starts delivery the moment a mail is committed; nothing is polled. Hands mail to the lanes whose turn it
// is, and their results to the outcome writer, which gives each mail back. The loop's thread.
//
// Where recipients of one mail take different routes, the mail is divided into parts, one for each route, which
// are due, wait and are tried by themselves, but only one at a time: so each outcome is written on top of the
// one before.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "daemon/io/nursery.h"
#include "daemon/relay/outcome_writer.h"
#include "daemon/relay/parts.h"
#include "daemon/relay/routes.h"
#include "daemon/relay/schedule.h"
#include "daemon/relay/status.h"
#include "smtpc/lane_work.h"

namespace hikyaku::relay {

class QueueRunner final : public smtpc::LaneWork {
 public:
  // The routes outlive the runner.
  QueueRunner(QueueParts parts, Routes& routes);
  ~QueueRunner() override;

  // Once, with what the spool holds at the start, and how long no daemon ran.
  void adopt(const std::vector<mail::QueueEntry>& entries, Duration downtime);
  void arrived(const mail::QueueEntry& entry);
  // To be called before the routes change their shape: whatever is due or waits will look for its way again.
  void leave_routes();
  // To be called when the routes have their new lanes. After the first time, everything that waits becomes due:
  // what was wrong may be right now.
  void configure(SettlementPolicy policy, BouncePolicy bounces);
  // All mail that waits for its time becomes due, or those of `ids`. Mail that is due, under way or held
  // stays as it is.
  void retry_all();
  void retry(const std::vector<mail::MailId>& ids);
  // The spool takes mail again: notices that could not be stored are tried now.
  void storage_is_back();
  // A destination cannot be reached, and there is no other way: what is due on these routes has been tried.
  void fail_due(const std::vector<RoutePtr>& routes, const mail::Failure& why, const std::string& smarthost);
  // Hands out no more mail. Returns when every outcome is written, but at `until` at the latest.
  Task<void> stop(io::Until until);

  std::size_t queued() const;
  Backlog backlog() const;
  // What the runner knows of the report: the numbers of mails, and when they last moved.
  void report(StatusReport& status) const;
  OutcomeBoard& outcomes() { return writer_.outcomes(); }

  // smtpc::LaneWork
  std::size_t waiting(const smtpc::Lane& lane) const override;
  bool has_fresh(const smtpc::Lane& lane, const std::vector<mail::MailId>& avoid) const override;
  Task<std::optional<smtpc::Job>> take(const smtpc::Lane& lane, smtpc::Preference preference) override;
  smtpc::TicketPtr settle(smtpc::Job job, smtpc::TransactionResult result,
                          smtpc::UsedConnection used) override;
  void put_back(smtpc::Job job) override;

 private:
  // A mail that a lane has, or whose outcome is being written.
  struct UnderWay {
    Entry entry;
    RoutePtr route;
    Duration recorded{0};             // the waiting time in its newest record
    std::uint64_t configuration = 0;  // the number of the one that was in force when it was taken
    std::uint64_t shape = 0;          // … and of the routes
    std::vector<Entry> others{};      // parts of it whose turn came meanwhile
    RoutePtr next{};                  // where those recipients go that this smarthost cannot take
  };

  Task<void> keep_time();
  Instant next_look() const;
  void release_due();
  void release_all();
  void postpone(Entry entry, Duration wait);
  bool hands_out() const { return writer_.can_write() && !stopping_; }

  void place(Entry entry, bool first = false);
  void add_due(const RoutePtr& route, Entry entry, bool first);
  Task<void> sort_mail();
  Task<void> sort(Entry entry);
  void divide(mail::QueuedMail mail, Entry entry);
  bool take_up(Entry entry, const RoutePtr& route);
  void settle_owed(mail::QueuedMail mail, Entry entry);
  Task<Result<smtpc::Job, mail::SourceError>> load(mail::MailId id, mail::Patience patience);
  void keep_own(smtpc::Job& job, const UnderWay& under_way) const;
  void set_aside(Entry entry, const mail::SourceError& error);
  Duration wait_to_record(const UnderWay& under_way, const mail::QueuedMail& mail) const;
  void turn_over(UnderWay& under_way, smtpc::Job& job, const smtpc::TransactionResult& result,
                 const std::string& smarthost);
  Task<void> fail(std::deque<Entry> entries, RoutePtr route, mail::Failure why, std::string smarthost);
  UnderWay end_attempt(mail::MailId id);
  void requeue(mail::MailId id, const Settlement& settlement);

  io::Loop& loop_;
  mail::MailSource& source_;
  log::MailLog& log_;
  Routes& routes_;
  OutcomeWriter writer_;
  Schedule schedule_;
  std::deque<Entry> unsorted_;  // due, on a route that is not known yet
  bool is_sorting_ = false;
  std::size_t sorting_ = 0;  // taken from unsorted_, and being looked at
  std::size_t failing_ = 0;  // due on a route without a lane, and about to be settled
  Parts parts_;
  std::unordered_map<mail::MailId, UnderWay> under_way_;
  std::uint64_t configuration_ = 0;  // how many there have been
  std::uint64_t shape_ = 0;          // how often the routes have changed
  std::size_t held_ = 0;
  std::optional<WallTime> released_;  // when all that waited became due for the last time
  bool stopping_ = false;
  io::Event changed_;
  io::Cancel cancel_;  // of the time keeper
  io::Nursery nursery_;
};

}  // namespace hikyaku::relay
