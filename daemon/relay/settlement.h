// SPDX-License-Identifier: MIT
// What an attempt means for a mail: the new state to write down, whom to tell, and when to try again. Pure.
#pragma once

#include <vector>

#include "daemon/base/defaults.h"
#include "daemon/mail/dsn.h"
#include "daemon/mail/mail_source.h"
#include "daemon/mail/retry.h"
#include "smtpc/transaction.h"

namespace hikyaku::relay {

struct SettlementPolicy {
  Duration lifetime = defaults::kLifetime;
  Duration delay_notice = defaults::kDelayNotice;  // 0: none
  mail::RetryPolicy retry;
};

enum class RecipientOutcome : std::uint8_t { delivered, deferred, failed };

// One recipient's part of the attempt, for the log.
struct SettledRecipient {
  std::size_t recipient = 0;  // index into the envelope's
  RecipientOutcome outcome = RecipientOutcome::deferred;
  std::optional<mail::Failure> failure;    // nothing: delivered
  std::optional<mail::Reply> final_reply;  // of a delivered one
};

struct Settlement {
  mail::Progress progress;                       // to be written, after the notices are on stable storage
  std::vector<SettledRecipient> recipients;      // all that were tried
  std::vector<mail::ReportedRecipient> failed;   // newly, whose sender wants to know
  std::vector<mail::ReportedRecipient> delayed;  // whose sender is to be told now that it takes long
  std::vector<mail::ReportedRecipient> relayed;  // delivered to where nobody will say so to the sender; the
                                                 // progress says that they owe a notice until it is stored
  bool is_over = false;                          // nobody is pending, and nothing is held: the mail has ended
  bool counts = true;                            // an attempt of this mail's own, not only of the smarthost's
  bool is_told = false;                          // a notice is on stable storage
};

// `tried` are indices into the envelope's recipients; `mail.progress.waited` is up to date. `fraction` in [0,
// 1) is the jitter of the next wait.
Settlement settle(const mail::QueuedMail& mail, const std::vector<std::size_t>& tried,
                  const smtpc::TransactionResult& result, const std::string& smarthost,
                  const SettlementPolicy& policy, double fraction);

// Adds what `mail` owes its sender from before: the notice of a delivery that is on record as untold. `host`
// is the smarthost that took it, or empty.
void add_owed_notice(Settlement& settled, const mail::QueuedMail& mail, const std::string& host);
// What is left of a mail that everybody has got, and whose sender is still to be told.
Settlement settle_owed_notice(const mail::QueuedMail& mail, const std::string& host);
// The sender has been told of every delivery: nothing is owed any more.
void set_success_told(Settlement& settled);
// The notice of a delivery cannot be stored: it stays owed, and the mail waits for another try of that.
void put_off_success(Settlement& settled, const std::string& why, const SettlementPolicy& policy,
                     double fraction);

// A notice about `settled` cannot be stored, and nobody may be failed, or counted as told of the delay,
// before it is: these recipients stay pending, and the mail is tried again as its schedule says. `before` is
// the progress that the attempt began with.
void put_off_notices(Settlement& settled, const mail::Progress& before, const std::string& why,
                     const SettlementPolicy& policy, double fraction);

}  // namespace hikyaku::relay
