// SPDX-License-Identifier: MIT
// The daemon as the control socket's threads see it. The event loop answers (loop_daemon_control.h); nullopt
// means that there was no answer in time, or that the daemon is stopping.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/control/control_rights.h"
#include "daemon/mail/dialogue.h"
#include "daemon/oauth/token_store.h"
#include "daemon/relay/outcome_board.h"
#include "daemon/relay/status.h"
#include "daemon/relay/steering.h"

namespace hikyaku::control {

struct RetryReport {
  std::vector<mail::MailId> retried;
  std::vector<mail::MailId> held;         // wait for the operator
  std::vector<mail::MailId> unknown;      // not queued, or not the caller's
  std::vector<mail::MailId> elsewhere{};  // tried by another node of a shared spool
  std::vector<relay::Decided> refused{};  // … which does not answer, or may not be asked
};

// What is decided about mails, and by whom.
struct SteeringOrder {
  relay::Decision decision = relay::Decision::hold;
  std::string by;  // the user's name
  Rights rights;
};

// What `hikyaku drain` wants, and who.
struct DrainOrder {
  enum class Verb : std::uint8_t { begin, follow, end };
  Verb verb = Verb::begin;
  std::string to{};  // the peer's URL; empty: nothing is handed over
  std::string by{};  // the user's name
};

// The result of a reload of the configuration.
struct ReloadReport {
  std::vector<std::string> problems;  // if there are any, nothing has changed
  std::vector<std::string> kept;      // keys that only a restart changes
};

class DaemonControl {
 public:
  virtual ~DaemonControl() = default;

  // `by`: the user's name. Makes every waiting mail due, and probes paused smarthosts. Returns how many mails are due or under way.
  virtual std::optional<std::size_t> retry_all(std::string by) = 0;
  // Makes those of `ids` due that the caller may see.
  virtual std::optional<RetryReport> retry(std::vector<mail::MailId> ids, Rights rights, std::string by) = 0;
  // The same of mails that are known to be the caller's and not held. Returns false if there was no answer.
  virtual bool retry_known(std::vector<mail::MailId> ids, Rights rights, std::string by) = 0;

  // One answer for each of `ids`. A mail that the caller may not change is unknown.
  virtual std::optional<std::vector<relay::Decided>> steer(std::vector<mail::MailId> ids,
                                                           SteeringOrder order) = 0;

  struct OutcomeReport {
    std::optional<relay::MailOutcome> outcome;  // nullopt: unknown, or not the caller's
    relay::StatusReport status;                 // of that moment, as far as the relay knows
  };
  // Returns the outcome as soon as it differs from `seen`, at the latest when `wait` is over.
  virtual std::optional<OutcomeReport> outcome(mail::MailId id, std::optional<relay::MailOutcome> seen,
                                               Rights rights, Duration wait) = 0;

  struct DialogueReport {
    mail::DialoguePtr dialogue;  // null: no attempt of the mail has failed since, or it is forgotten
    WallTime since;              // when the daemon started
  };
  // Before the mail's last failed attempt. For operators only.
  virtual std::optional<DialogueReport> dialogue(mail::MailId id) = 0;

  virtual std::optional<relay::StatusReport> status() = 0;
  // In Prometheus's text format.
  virtual std::optional<std::string> metrics() = 0;
  // Why no new mail is taken now; empty: it is.
  virtual std::optional<std::string> takes_no_mail() = 0;
  // Begins, follows or ends a drain; an order to follow is answered at its end, or after a moment. The error says why
  // there is no drain, or not this one.
  virtual std::optional<Result<relay::DrainReport, std::string>> drain(DrainOrder order) = 0;
  // The failed mails of the last day that the caller may see, newest first.
  virtual std::optional<std::vector<mail::FailedMail>> failed(Rights rights) = 0;
  virtual std::optional<ReloadReport> reload() = 0;
  // Returns how many aliases there are now, or what is wrong with the file; then nothing has changed.
  virtual std::optional<Result<std::size_t, std::string>> reload_aliases() = 0;

  // Of the smarthosts with `oauth`, by name. The errors of the others say in plain words what went wrong.
  virtual std::optional<std::vector<std::pair<std::string, mail::OAuthReport>>> oauth_reports() = 0;
  virtual std::optional<Result<void, std::string>> oauth_adopt(std::string smarthost,
                                                               oauth::StoredToken token) = 0;
  virtual std::optional<Result<void, std::string>> oauth_refresh(std::string smarthost) = 0;
  virtual std::optional<Result<void, std::string>> oauth_revoke(std::string smarthost) = 0;
};

}  // namespace hikyaku::control
