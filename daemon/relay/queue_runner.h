// SPDX-License-Identifier: MIT
// Decides when which mail is tried: everything that is queued is due, waits for its time, or is under way.
// Starts delivery the moment a mail is committed; nothing is polled. Hands mail to the lanes whose turn it is
// on the route, and their results to the outcome writer, which gives each mail back. The loop's thread.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "daemon/io/nursery.h"
#include "daemon/relay/outcome_writer.h"
#include "daemon/relay/route.h"
#include "daemon/relay/schedule.h"
#include "daemon/relay/status.h"
#include "smtpc/lane_work.h"

namespace hikyaku::relay {

class QueueRunner final : public smtpc::LaneWork {
 public:
  // The route outlives the runner.
  QueueRunner(QueueParts parts, Route& route);
  ~QueueRunner() override;

  // Once, with what the spool holds at the start, and how long no daemon ran.
  void adopt(const std::vector<mail::QueueEntry>& entries, Duration downtime);
  void arrived(const mail::QueueEntry& entry);
  // To be called when the route has its new lanes. After the first time, everything that waits becomes due:
  // what was wrong may be right now.
  void configure(SettlementPolicy policy, BouncePolicy bounces);
  // All mail that waits for its time becomes due, or those of `ids`. Mail that is due, under way or held
  // stays as it is.
  void retry_all();
  void retry(const std::vector<mail::MailId>& ids);
  // The spool takes mail again: notices that could not be stored are tried now.
  void storage_is_back();
  // Hands out no more mail. Returns when every outcome is written, but at `until` at the latest.
  Task<void> stop(io::Until until);

  std::size_t queued() const { return schedule_.size() + under_way_.size() + held_; }
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
  using Entry = Schedule::Entry;

  // A mail that a lane has, or whose outcome is being written.
  struct UnderWay {
    Entry entry;
    Duration taken{0};                // the route's time when the lane took it: `waited` was true then
    std::uint64_t configuration = 0;  // the number of the one that was in force then
  };

  Task<void> keep_time();
  Instant next_look() const;
  void release_due();
  void release_all();
  void postpone(Entry entry, Duration wait);
  bool hands_out() const { return writer_.can_write() && !stopping_; }
  Task<Result<smtpc::Job, mail::SourceError>> load(const UnderWay& under_way, mail::Patience patience);
  void set_aside(Entry entry, const mail::SourceError& error);
  UnderWay end_attempt(mail::MailId id);
  void requeue(mail::MailId id, const Settlement& settlement);

  io::Loop& loop_;
  mail::MailSource& source_;
  log::MailLog& log_;
  Route& route_;
  OutcomeWriter writer_;
  Schedule schedule_;
  std::unordered_map<mail::MailId, UnderWay> under_way_;
  std::uint64_t configuration_ = 0;  // how many there have been
  std::size_t held_ = 0;
  std::optional<WallTime> released_;  // when all that waited became due for the last time
  bool stopping_ = false;
  io::Event changed_;
  io::Cancel cancel_;  // of the time keeper
  io::Nursery nursery_;
};

}  // namespace hikyaku::relay
