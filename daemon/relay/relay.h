// SPDX-License-Identifier: MIT
// The relay: everything between the spool and the smarthosts. Owns the route, the queue runner and what they
// share; knows no process (signals, sockets, privileges are daemon.h's). The loop's thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/config/problem.h"
#include "daemon/config/settings.h"
#include "daemon/io/nursery.h"
#include "daemon/log/mail_log.h"
#include "daemon/relay/proven.h"
#include "daemon/relay/queue_runner.h"
#include "daemon/relay/rates.h"
#include "daemon/relay/routes.h"
#include "daemon/relay/sharing.h"
#include "daemon/relay/status.h"
#include "smtpc/lane.h"

namespace hikyaku::relay {

// What the relay works with; all of it outlives the relay.
struct RelayParts {
  io::Loop& loop;
  mail::MailSink& sink;  // for bounces
  mail::MailSource& source;
  smtpc::Connector& connector;
  log::MailLog& log;
  std::string token;                         // this instance's, as in our greeting
  std::string proven_file;                   // keeps which smarthosts are proven; empty: not kept
  std::string rates_file;                    // keeps how much of their rates is used up; empty: not kept
  smtpc::TokenSource* tokens = nullptr;      // null only without `oauth`
  mail::SharedAccounts* accounts = nullptr;  // null: no other daemon shares the spool
  Jitter jitter = random_fraction;
};

using TlsClientPtr = std::shared_ptr<io::TlsClient>;

class Relay final : public smtpc::LaneObserver {
 public:
  Relay(RelayParts parts, Duration downtime);
  ~Relay() override;

  // To be called at start and at every reload. Fails with the problems of TLS files; then nothing has
  // changed. A smarthost whose settings and credentials are the same stays proven; every pause and backoff
  // ends, so that a correction is tried at once.
  // `keys` sign what leaves; null: nothing is signed.
  Result<void, config::Problems> configure(const config::Settings& settings, dkim::KeyRingPtr keys = nullptr);
  // Instead of the configured smarthosts this one gets all mail, whatever its route, until it is taken back with
  // nullopt; a reload does not change that. A mail that is under way stays with the smarthost that has it until
  // the attempt has ended. Everything becomes due. Fails as configure(); what is taken back is so all the same, and
  // the next reload tries the configured ones again.
  Result<void, config::Problems> hand_over(std::optional<mail::Smarthost> target);
  // To be called for each mail that is newly on stable storage (Spool::set_on_arrival).
  void arrived(const mail::QueueEntry& entry) { runner_.arrived(entry); }
  // For mail that another daemon of a shared spool had before (spool::Claimant); and how much of it could be sent now.
  void claimed(const std::vector<mail::QueueEntry>& entries) { runner_.adopt(entries, Duration{0}); }
  std::size_t room() const;
  // Sends no more mail. Returns when what is under way has finished; breaks it off when `grace` is over.
  Task<void> stop(Duration grace);

  // All mail that waits for its time becomes due, or those of `ids`; no other mail changes. Returns how many
  // are due or under way then.
  std::size_t retry_all();
  void retry(const std::vector<mail::MailId>& ids) { runner_.retry(ids); }
  void storage_is_back() { runner_.storage_is_back(); }
  // Smarthosts that are paused are probed at once.
  void probe_paused() { routes_.probe_paused(); }
  OutcomeBoard& outcomes() { return runner_.outcomes(); }
  const DialogueBoard& dialogues() const { return dialogues_; }
  Steering& steering() { return runner_.steering(); }
  Emptying& emptying() { return runner_.emptying(); }

  std::size_t queued() const { return runner_.queued(); }
  // The report without version, uptime and the spool's health.
  StatusReport report() const;
  // One line for STATUS=: the number of queued mails, and what is wrong.
  std::string status() const;

 private:
  // smtpc::LaneObserver
  void changed(const smtpc::Lane& lane) override;
  void dialled(const smtpc::Lane& lane, const smtpc::ConnectionAttempt& attempt) override;
  void speaks_plainly(const smtpc::Lane& lane) override;
  void session_failed(const smtpc::Lane& lane, mail::DialoguePtr dialogue) override;
  void accepted(const smtpc::Lane& lane) override;

  // The settings of all lanes of one configuration.
  struct Plan {
    config::Settings settings;
    dkim::KeyRingPtr keys;
    bool hands_over = false;
  };
  Result<void, config::Problems> apply(const Plan& plan);
  std::vector<LanePtr> make_lanes(const Plan& plan, config::Problems& problems);
  LanePtr make_lane(const Plan& plan, const mail::Smarthost& smarthost, TlsClientPtr tls);
  MakeLane destination_maker(const Plan& plan, config::Problems& problems);
  void destination_changed(const smtpc::Lane& lane);
  void share_out();
  Task<void> prove(mail::Smarthost smarthost);
  mail::SmarthostReport report(const smtpc::Lane& lane) const;

  RelayParts parts_;
  Proven proven_;
  Routes routes_;
  std::unique_ptr<Sharing> sharing_;  // null: no other daemon shares the spool
  Rates rates_;
  DialogueBoard dialogues_;
  config::Settings settings_;  // as configured
  dkim::KeyRingPtr keys_;
  std::optional<mail::Smarthost> target_;  // gets all mail instead
  QueueRunner runner_;
  io::Nursery nursery_;
};

}  // namespace hikyaku::relay
