// SPDX-License-Identifier: MIT
// What the operator decides about queued mail: to hold it, to release it, to remove it, or to return it to its
// sender. A decision is on stable storage before it is reported as done, and leaves one line in the log, with
// who has made it. A mail that is being sent at the moment is left alone. The loop's thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/io/loop.h"
#include "daemon/log/mail_log.h"
#include "daemon/mail/fleet.h"
#include "daemon/mail/mail_source.h"
#include "daemon/relay/due_mail.h"
#include "daemon/relay/outcome_board.h"
#include "smtpc/lane_work.h"

namespace hikyaku::relay {

using mail::Decided;
using mail::Decision;

struct Instruction {
  Decision decision = Decision::hold;
  std::string by;  // who decides: the name of a user, for the log
  // Whether the one who decides may change mail of this user (Envelope::uid).
  std::function<bool(const std::optional<std::uint32_t>&)> may_change = [](const auto&) { return true; };
};

class Steering {
 public:
  // How the queue runner lets go of a mail that no lane has.
  struct Queue {
    // False: it is under way. From then on no lane gets it, until let_go().
    std::function<bool(mail::MailId)> claim;
    std::function<void(mail::MailId)> let_go;
    // As an attempt that has failed for good; lets go of the mail by itself. The ticket is done when the mail
    // has ended, or waits because its notice cannot be stored.
    std::function<smtpc::TicketPtr(smtpc::Job, smtpc::TransactionResult)> fail;
    // For those who follow the mail.
    std::function<void(MailOutcome)> note;
  };
  // All outlive the object.
  Steering(io::Loop& loop, mail::MailSource& source, log::MailLog& log, DueMail& due, Queue queue)
      : loop_(loop), source_(source), log_(log), due_(due), queue_(std::move(queue)) {}

  // One answer for each of `ids`, in their order, when all are on stable storage. Suspends. The decisions share
  // the spool's next flushes.
  Task<std::vector<Decided>> apply(std::vector<mail::MailId> ids, Instruction order);

 private:
  Task<void> apply_to(Decided& answer, const Instruction& order);
  Task<Result<mail::QueuedMail, mail::SourceError>> load(mail::MailId id);
  Task<void> decide(Decided& answer, const Instruction& order, mail::QueuedMail mail);
  Task<void> hold(Decided& answer, const Instruction& order, mail::QueuedMail mail);
  Task<void> release(Decided& answer, const Instruction& order, mail::QueuedMail mail);
  Task<void> remove(Decided& answer, const Instruction& order, mail::QueuedMail mail);
  Task<void> bounce(Decided& answer, const Instruction& order, mail::QueuedMail mail);
  enum class IsOver : bool { no, yes };
  // What is on stable storage by now, for the log and for those who follow the mail.
  void tell(const mail::QueuedMail& mail, const Instruction& order, IsOver is_over = IsOver::no);
  void log(const mail::QueuedMail& mail, const Instruction& order);

  io::Loop& loop_;
  mail::MailSource& source_;
  log::MailLog& log_;
  DueMail& due_;
  Queue queue_;
};

}  // namespace hikyaku::relay
