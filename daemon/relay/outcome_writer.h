// SPDX-License-Identifier: MIT
// Writes down what became of an attempt, and tells the sender and the log, in this order of durability: who
// has got the mail is on stable storage before anything else is tried, with the mark that the sender is owed
// a notice where they asked for one; the notice of a failure or a delay is on stable storage before the new
// state of its recipients is submitted, or together with it (MailSink::begin_notice). While an outcome cannot be
// written, no lane may take new mail. The loop's thread.
#pragma once

#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

#include "daemon/io/nursery.h"
#include "daemon/log/mail_log.h"
#include "daemon/relay/bouncer.h"
#include "daemon/relay/dialogue_board.h"
#include "daemon/relay/outcome_board.h"
#include "daemon/relay/routes.h"
#include "daemon/relay/settlement.h"
#include "smtpc/lane_work.h"

namespace hikyaku::relay {

// What queue and outcomes stand on; all of it outlives them.
struct QueueParts {
  io::Loop& loop;
  mail::MailSource& source;
  mail::MailSink& sink;  // for bounces
  log::MailLog& log;
  DialogueBoard& dialogues;
  Jitter jitter = random_fraction;
};

class OutcomeWriter {
 public:
  // Called when the outcome is written, or need not be: the mail has ended, or is the queue's again. Not
  // called if the writer is stopped before that; the mail then stays as the spool has it.
  using OnFinished = std::function<void(mail::MailId, const Settlement&)>;

  // The routes outlive the writer, too.
  OutcomeWriter(QueueParts parts, Routes& routes, OnFinished on_finished);

  // For the outcomes that are settled from now on.
  void configure(SettlementPolicy policy, BouncePolicy bounces);
  // Logs the outcome and begins to write it down. The ticket is done when the outcome is on stable storage.
  // Does not suspend.
  struct Terms {
    Duration waited{0};  // to be recorded: of a mail in several parts not what this part has waited
    mail::MayGo may_go = mail::MayGo::no;
  };
  smtpc::TicketPtr settle(smtpc::Job job, const smtpc::TransactionResult& result,
                          const smtpc::UsedConnection& used, Terms terms);
  // Sends the notice that `mail` still owes; all its recipients are settled. A crash, or a disk without room,
  // came between the delivery and that notice.
  void settle_owed_notice(mail::QueuedMail mail);
  // False while an outcome could not be written so far: a crash would undo it, so no more mail may be sent.
  bool can_write() const { return unwritten_ == 0; }
  // The mails that wait because their notices could not be stored, each returned once.
  std::vector<mail::MailId> take_short_of_storage();
  // Returns when every outcome is written, but at `until` at the latest. Those that are not are given up.
  Task<void> stop(io::Until until);

  std::optional<WallTime> last_delivery() const { return last_delivery_; }  // of this run
  OutcomeBoard& outcomes() { return outcomes_; }
  const OutcomeBoard& outcomes() const { return outcomes_; }

 private:
  Task<void> write_down(mail::QueuedMail mail, Settlement settlement, smtpc::TicketPtr ticket);
  Task<bool> write_steps(const mail::QueuedMail& mail, Settlement& settlement);
  void note(const mail::QueuedMail& mail, const Settlement& settlement);
  Task<bool> save_deliveries(const mail::QueuedMail& mail, Settlement& settlement);
  Task<bool> send_success_notice(const mail::QueuedMail& mail, Settlement& settlement);
  Task<bool> send_notices(const mail::QueuedMail& mail, Settlement& settlement);
  Task<Result<void, mail::SinkError>> send_notice(const mail::QueuedMail& mail, mail::NoticeKind kind,
                                                  std::vector<mail::ReportedRecipient> recipients);
  Task<Result<std::optional<mail::MailId>, mail::SinkError>> send_postmaster_notice(
      const mail::QueuedMail& mail, std::vector<mail::ReportedRecipient> recipients);
  Task<bool> report_without_sender(const mail::QueuedMail& mail, Settlement& settlement);
  Task<Result<void, mail::SinkError>> report_failed(const mail::QueuedMail& mail,
                                                    const Settlement& settlement);
  Task<bool> save_settled(mail::MailId id, Settlement& settlement);
  Task<bool> save(mail::MailId id, Settlement& settlement);
  Task<Result<void, mail::SourceError>> try_to_save(mail::MailId id, Settlement& settlement);
  Task<bool> wait_for_storage(std::string reason);

  io::Loop& loop_;
  mail::MailSource& source_;
  log::MailLog& log_;
  Jitter jitter_;
  DialogueBoard& dialogues_;
  Routes& routes_;
  OnFinished on_finished_;
  SettlementPolicy policy_;
  Bouncer bouncer_;
  OutcomeBoard outcomes_;
  std::size_t writing_ = 0;                            // outcomes on their way to the spool
  std::size_t unwritten_ = 0;                          // … that could not be written so far
  std::unordered_set<mail::MailId> short_of_storage_;  // their notices could not be stored
  std::optional<WallTime> last_delivery_;
  io::Event changed_;
  io::Cancel cancel_;  // of waiting for storage
  io::Nursery nursery_;
};

}  // namespace hikyaku::relay
