// SPDX-License-Identifier: MIT
// Whether a smarthost can be used, and when to look again: a lane's state without its connections. Pure but
// for the times that it is given. The rules are in ARCHITECTURE.md, "A lane's states".
#pragma once

#include <optional>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/random.h"
#include "daemon/mail/mail_id.h"
#include "smtpc/evidence.h"
#include "smtpc/verdict.h"

namespace hikyaku::smtpc {

// Why a lane is paused, and since when.
struct Pause {
  mail::Failure why;
  Instant since;
  Instant next_probe;
  // When a mail that was not refused since the pause began is reason enough to probe; kNever: such a mail
  // waits for next_probe like the others.
  Instant next_for_fresh = kNever;
  unsigned probes = 0;              // failed probes, the event that began the pause included
  bool only_a_mail_proves = false;  // connections open well, transactions are refused
  bool by_evidence = false;         // only an accepted mail ends the pause
  bool was_up = false;              // broken off amid work: the first probe comes soon
  // The newest mails that failed: the probe takes another if there is one.
  std::vector<mail::MailId> avoid;
};

class Health {
 public:
  Health(unsigned connections, bool proven, Jitter jitter);

  const std::optional<Pause>& pause() const { return pause_; }
  bool is_paused() const { return pause_.has_value(); }
  // Has accepted a message with its present configuration and credentials.
  bool is_proven() const { return proven_; }
  // As another daemon of a shared spool has found out.
  void set_proven() { proven_ = true; }
  // A probable mistake in the configuration that does not stop all mail: refused senders on an unproven
  // smarthost.
  const std::optional<mail::Failure>& suspicion() const { return suspicion_; }

  // How many steps the backoff has taken so far. A connection remembers the number that held when it began:
  // if the pause has taken a step since, what the connection reports is the same outage and adds no step.
  unsigned round() const { return round_; }
  bool is_stale(unsigned round) const { return is_paused() && round != round_; }

  // Each returns whether the state, or the reason for it, has changed.
  bool opened();                                 // a connection is ready for mail
  bool delivered(mail::MailId id, Instant now);  // a message was accepted
  bool settled();                                // a transaction ended in order, whatever its outcome
  // The smarthost refused us in a connection that began in `round`; `id` is that of the mail under way, if
  // any.
  bool refused(const mail::Failure& why, Instant now, unsigned round, std::optional<mail::MailId> id);
  // An attempt broke off.
  bool aborted(const mail::Failure& why, Instant now, unsigned round, mail::MailId id);
  bool suspected(const mail::Failure& why);
  // A connection that began in `round` is over. A probe that connected well but found no mail to send is
  // repeated later, or as soon as there is one.
  void ended(unsigned round, Instant now);
  // The next probe cannot come before `until`.
  bool postpone_probe(Instant until);

  // A refusal that concerns one mail or all.
  struct Weighed {
    Finding finding = Finding::undecided;
    bool changed = false;
  };
  Weighed weigh(const mail::Failure& why, Instant now, unsigned round, Witness witness);

  // How many connections there may be now.
  unsigned limit(Instant now) const;
  unsigned most() const { return connections_; }  // at the best of times
  void set_most(unsigned connections) { connections_ = connections; }
  void slow_down(Instant now);  // 421, refused connection, 4.7.x

 private:
  bool resume();
  void begin(const mail::Failure& why, Instant now);
  void step(Instant now, bool hopes_for_fresh);
  void schedule_probe(Instant now);
  void avoid(mail::MailId id);

  unsigned connections_;
  bool proven_;
  Jitter jitter_;
  std::optional<Pause> pause_;
  std::optional<mail::Failure> suspicion_;
  std::optional<mail::MailId> last_aborted_;
  Evidence evidence_;
  bool was_up_ = false;  // a transaction has ended in order since the latest pause began
  unsigned round_ = 0;
  unsigned slow_limit_;  // as of slowed_at_; one is added back a minute
  Instant slowed_at_{};
};

}  // namespace hikyaku::smtpc
