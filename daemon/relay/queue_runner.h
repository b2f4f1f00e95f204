// SPDX-License-Identifier: MIT
// Decides when which mail is tried: everything that is queued is due on a route, waits for its time, or is under
// way. Starts delivery the moment a mail is committed; nothing is polled. Hands mail to the lanes whose turn it
// is, and their results to the outcome writer, which gives each mail back. The loop's thread.
//
// Parts of a mail that take different routes are tried by themselves, but only one at a time: so each outcome is
// written on top of the one before.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "daemon/io/nursery.h"
#include "daemon/relay/due_mail.h"
#include "daemon/relay/emptying.h"
#include "daemon/relay/outcome_writer.h"
#include "daemon/relay/routes.h"
#include "daemon/relay/status.h"
#include "daemon/relay/steering.h"
#include "smtpc/lane_work.h"

namespace hikyaku::relay {

class QueueRunner final : public smtpc::LaneWork {
 public:
  // The routes outlive the runner.
  QueueRunner(QueueParts parts, Routes& routes);
  ~QueueRunner() override;

  // Once with what the spool holds at the start, and how long no daemon ran; and with what is claimed later.
  void adopt(const std::vector<mail::QueueEntry>& entries, Duration downtime) {
    routes_.update_clocks();
    due_.adopt(entries, downtime);
  }
  void arrived(const mail::QueueEntry& entry);
  // To be called before the routes change their shape: whatever is due or waits will look for its way again.
  void leave_routes() { due_.leave_routes(); }
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
  Steering& steering() { return steering_; }
  Emptying& emptying() { return emptying_; }

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
    bool is_steered = false;          // no lane has it, and its entries are still in the queues
  };

  Task<void> keep_time();
  bool hands_out() const { return writer_.can_write() && !stopping_; }
  bool take_up(Entry entry, const RoutePtr& route);
  Task<Result<smtpc::Job, mail::SourceError>> load(mail::MailId id, mail::Patience patience);
  void give_back(Result<smtpc::Job, mail::SourceError> job, mail::MailId id);
  void turn_over(UnderWay& under_way, smtpc::Job& job, const smtpc::TransactionResult& result,
                 const std::string& smarthost);
  Task<void> fail(std::deque<Entry> entries, RoutePtr route, mail::Failure why, smtpc::UsedConnection used);
  UnderWay end_attempt(mail::MailId id);
  Steering::Queue steered_queue();
  void requeue(mail::MailId id, const Settlement& settlement);

  io::Loop& loop_;
  mail::MailSource& source_;
  log::MailLog& log_;
  DialogueBoard& dialogues_;
  Routes& routes_;
  OutcomeWriter writer_;
  io::Event changed_;
  DueMail due_;
  Steering steering_;
  Emptying emptying_;
  std::unordered_map<mail::MailId, UnderWay> under_way_;
  std::size_t failing_ = 0;           // due on a route without a lane, and about to be settled
  std::uint64_t configuration_ = 0;   // how many there have been
  std::optional<WallTime> released_;  // when all that waited became due for the last time
  bool stopping_ = false;
  io::Cancel cancel_;  // of the time keeper
  io::Nursery nursery_;
};

}  // namespace hikyaku::relay
