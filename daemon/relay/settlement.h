// SPDX-License-Identifier: MIT
// What an attempt means for a mail: the new state to write down, the notices to send, and when to try again.
// Pure.
#pragma once

#include <vector>

#include "daemon/base/defaults.h"
#include "daemon/config/settings.h"
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
SettlementPolicy settlement_policy(const config::QueueSettings& queue);

enum class RecipientOutcome : std::uint8_t { delivered, deferred, failed };

// One recipient's part of the attempt, for the log.
struct SettledRecipient {
  std::size_t recipient = 0;  // index into the envelope's
  RecipientOutcome outcome = RecipientOutcome::deferred;
  std::optional<mail::Failure> failure;    // nullopt: delivered
  std::optional<mail::Reply> final_reply;  // of a delivered one
};

struct Settlement {
  mail::Progress progress;                       // to be written, after the notices are on stable storage
  std::vector<SettledRecipient> recipients;      // all that were tried
  std::vector<mail::ReportedRecipient> failed;   // newly failed, to be reported to the sender
  std::vector<mail::ReportedRecipient> delayed;  // to be reported to the sender as delayed
  // Delivered to a smarthost without DSN, and to be reported to the sender. The progress says that the notice
  // is owed until it is stored.
  std::vector<mail::ReportedRecipient> relayed;
  bool is_over = false;      // no recipient is pending, and the mail is not held: it has ended
  bool counts = true;        // an attempt of this mail; false if only the smarthost was in trouble
  bool is_notified = false;  // a notice is on stable storage

  mail::MayGo may_go = mail::MayGo::no;
  bool is_gone = false;  // written, and another daemon's or nobody's since then; or another's before
};

// `tried` are indices into the envelope's recipients; `mail.progress.waited` is up to date. `fraction` in [0,
// 1) is the jitter of the next wait.
Settlement settle(const mail::QueuedMail& mail, const std::vector<std::size_t>& tried,
                  const smtpc::TransactionResult& result, const std::string& smarthost,
                  const SettlementPolicy& policy, double fraction);

// Adds the notice that `mail` still owes its sender for an earlier delivery. `host` is the smarthost that
// took the mail, or empty.
void add_owed_notice(Settlement& settled, const mail::QueuedMail& mail, const std::string& host);
// For a mail that was delivered to all recipients and only owes its sender the notice.
Settlement settle_owed_notice(const mail::QueuedMail& mail, const std::string& host);
// The notice of the deliveries is stored: none is owed any more.
void set_success_notified(Settlement& settled);
// The notice of a delivery cannot be stored: it stays owed, and the mail waits until the next try.
void put_off_success(Settlement& settled, const std::string& why, const SettlementPolicy& policy,
                     double fraction);

// A notice of a failure or delay cannot be stored. Until it is, no recipient may become failed, or count as
// reported delayed: they stay pending, and the mail is tried again by its schedule. `before` is the progress
// that the attempt began with.
void put_off_notices(Settlement& settled, const mail::Progress& before, const std::string& why,
                     const SettlementPolicy& policy, double fraction);

}  // namespace hikyaku::relay
