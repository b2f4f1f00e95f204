// SPDX-License-Identifier: MIT
// Whether a smarthost can be used, and when to look again: a lane's state without its connections. Pure but
// for the times that it is given. The rules are ARCHITECTURE.md's, section "Relay".
#pragma once

#include <optional>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/random.h"
#include "daemon/mail/mail_id.h"
#include "smtpc/refusal.h"

namespace hikyaku::smtpc {

// Why a lane is paused, and since when.
struct Pause {
  mail::Failure why;
  Instant since;
  Instant next_probe;
  unsigned probes = 0;              // that failed, the event that began it included
  bool only_a_mail_proves = false;  // it opens well and refuses in transactions
  std::vector<mail::MailId> avoid;  // the mails it failed with: the probe takes another if there is one
};

class Health {
 public:
  Health(unsigned connections, bool proven, Jitter jitter);

  const std::optional<Pause>& pause() const { return pause_; }
  bool is_paused() const { return pause_.has_value(); }
  // Has accepted a message with its present configuration and credentials.
  bool is_proven() const { return proven_; }
  // A probable mistake in the configuration that does not stop all mail: refused senders on an unproven
  // smarthost.
  const std::optional<mail::Failure>& suspicion() const { return suspicion_; }

  // Each returns whether the state, or the reason for it, is another one now.
  bool opened();                  // a connection is ready for mail
  bool delivered();               // a message was accepted
  bool settled(mail::MailId id);  // a transaction ended in order, whatever its outcome
  bool refused(const mail::Failure& why, Instant now, std::optional<mail::MailId> id);  // by the smarthost
  bool aborted(const mail::Failure& why, Instant now, mail::MailId id);  // an attempt that broke off
  bool suspected(const mail::Failure& why);
  // A probe connected well but found no mail to prove it with: look again after as long a wait.
  void probed_in_vain(Instant now);

  // How many connections there may be now.
  unsigned limit(Instant now) const;
  void slow_down(Instant now);  // 421, refused connection, 4.7.x

 private:
  bool resume();
  void schedule_probe(Instant now);

  unsigned connections_;
  bool proven_;
  Jitter jitter_;
  std::optional<Pause> pause_;
  std::optional<mail::Failure> suspicion_;
  std::optional<mail::MailId> last_aborted_;
  unsigned slow_limit_;  // as of slowed_at_; one is added back a minute
  Instant slowed_at_{};
};

}  // namespace hikyaku::smtpc
