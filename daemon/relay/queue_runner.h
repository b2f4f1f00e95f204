// SPDX-License-Identifier: MIT
// Decides when which mail is tried: everything that is queued is either due, waiting for its time, or under
// way. Starts delivery the moment a mail is committed; nothing is polled. Writes down what became of an
// attempt, makes bounces, and hands mail to the lanes in their order: the first that is not paused takes it.
// The loop's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "daemon/io/nursery.h"
#include "daemon/log/mail_log.h"
#include "daemon/relay/bouncer.h"
#include "daemon/relay/outcome_board.h"
#include "daemon/relay/route_clock.h"
#include "daemon/relay/schedule.h"
#include "daemon/relay/settlement.h"
#include "smtpc/lane.h"
#include "smtpc/lane_work.h"

namespace hikyaku::relay {

class QueueRunner final : public smtpc::LaneWork {
 public:
  // All outlive it. `on_proven` is called when a lane's smarthost has accepted a message.
  QueueRunner(io::Loop& loop, mail::MailSource& source, mail::MailSink& sink, log::MailLog& log,
              Jitter jitter, std::function<void(const mail::Smarthost&)> on_accepted);
  ~QueueRunner() override;

  // Once, with what the spool holds at the start, and how long no daemon ran.
  void adopt(const std::vector<mail::QueueEntry>& entries, Duration downtime);
  void arrived(const mail::QueueEntry& entry);
  // The lanes in the order of the route, and what holds from now on. After the first time, everything that
  // waits becomes due: what was wrong may be right now.
  void configure(std::vector<std::shared_ptr<smtpc::Lane>> lanes, SettlementPolicy policy,
                 BouncePolicy bounces);
  // Everything that waits for its time becomes due; or of that what is named. What is due, under way or held
  // stays as it is.
  void retry_all();
  void retry(const std::vector<mail::MailId>& ids);
  // The spool takes mail again: notices that could not be stored are tried now.
  void storage_is_back();
  // Until every outcome is written, at the latest until `until`.
  Task<void> stopped(io::Until until);

  std::size_t queued() const { return schedule_.size() + under_way_.size() + held_; }
  std::size_t held() const { return held_; }
  std::size_t deferred() const { return schedule_.waiting(); }  // they wait for their time
  // When all that waited became due for the last time: a reload, or retry_all().
  std::optional<WallTime> released() const { return released_; }
  std::optional<WallTime> last_delivery() const { return last_delivery_; }  // of this run
  OutcomeBoard& outcomes() { return outcomes_; }
  const OutcomeBoard& outcomes() const { return outcomes_; }

  // smtpc::LaneWork
  std::size_t waiting(const smtpc::Lane& lane) const override;
  bool has_fresh(const smtpc::Lane& lane, const std::vector<mail::MailId>& avoid) const override;
  Task<std::optional<smtpc::Job>> take(const smtpc::Lane& lane, smtpc::Preference preference) override;
  smtpc::TicketPtr settle(smtpc::Job job, smtpc::TransactionResult result, smtpc::Way way) override;
  void put_back(smtpc::Job job) override;
  void lane_changed(const smtpc::Lane& lane) override;
  void speaks_plainly(const smtpc::Lane& lane) override;
  void accepted(const smtpc::Lane& lane) override { on_accepted_(lane.smarthost()); }

 private:
  using Entry = Schedule::Entry;

  // A mail that a lane has, or whose outcome is being written.
  struct UnderWay {
    Entry entry;
    Duration taken{0};  // the route's time then: what its progress says it has waited was true at that time
    std::uint64_t configuration = 0;  // what held then
  };

  Task<void> keep_time();
  Task<void> settled(io::Until until);
  void wake_lanes();
  Instant next_look() const;
  void release_due();
  void postpone(Entry entry, Duration wait);
  void release_all();
  Task<Result<smtpc::Job, mail::SourceError>> load(Entry entry, mail::Patience patience);
  void set_aside(Entry entry, const mail::SourceError& error);
  Task<void> write_down(mail::QueuedMail mail, Settlement settlement, smtpc::TicketPtr ticket);
  void note(const mail::QueuedMail& mail, const Settlement& settlement);
  Task<bool> save_deliveries(const mail::QueuedMail& mail, const Settlement& settlement);
  void tell_later(mail::QueuedMail mail);
  std::string host_of(const std::string& smarthost) const;
  Task<bool> tell_success(const mail::QueuedMail& mail, Settlement& settlement);
  Task<bool> send_notices(const mail::QueuedMail& mail, Settlement& settlement);
  Task<Result<void, mail::SinkError>> send_notice(const mail::QueuedMail& mail, mail::NoticeKind kind,
                                                  std::vector<mail::ReportedRecipient> recipients);
  void put_off(const mail::QueuedMail& mail, Settlement& settlement, const std::string& why);
  Task<bool> save_settled(mail::MailId id, Settlement& settlement);
  Task<bool> save(mail::MailId id, mail::Progress progress, bool is_over);
  Task<bool> wait_for_storage(std::string what);
  void requeue(mail::MailId id, const Settlement& settlement);
  void log_outcomes(const mail::QueuedMail& mail, const Settlement& settlement, const smtpc::Way& way);
  void log_state(const smtpc::Lane& lane);
  void log_suspicion(const std::string& name, const mail::Failure& why);
  void remind();
  bool is_turn_of(const smtpc::Lane& lane) const;
  const smtpc::Lane* first_up() const;
  bool is_route_up() const;

  io::Loop& loop_;
  mail::MailSource& source_;
  log::MailLog& log_;
  Jitter jitter_;
  std::function<void(const mail::Smarthost&)> on_accepted_;
  RouteClock route_clock_;
  SettlementPolicy policy_;
  Bouncer bouncer_;
  std::vector<std::shared_ptr<smtpc::Lane>> lanes_;
  Schedule schedule_;
  OutcomeBoard outcomes_;
  std::unordered_map<mail::MailId, UnderWay> under_way_;
  std::uint64_t configuration_ = 0;  // how many there have been
  std::size_t held_ = 0;
  std::size_t writing_ = 0;                  // outcomes on their way to the spool
  std::size_t unwritten_ = 0;                // … that could not be written so far
  std::unordered_set<mail::MailId> untold_;  // their senders could not be told for want of storage
  Instant last_reminder_;
  std::optional<WallTime> last_delivery_;
  std::optional<WallTime> released_;
  bool stopping_ = false;
  io::Event changed_;
  io::Cancel cancel_;  // of the time keeper and of retries of writing
  io::Nursery nursery_;
};

}  // namespace hikyaku::relay
