// SPDX-License-Identifier: MIT
// What the daemon does for sendmail(1) beside listening: it knows the local submitters, picks up what they
// leave in the drop directory, and writes sendmail.conf for them. The loop's thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daemon/app/local_submitters.h"
#include "daemon/base/ip.h"
#include "daemon/config/settings.h"
#include "daemon/pickup/pickup.h"

namespace hikyaku::app {

class SendmailServices {
 public:
  // All outlive this; `background` has the tasks, and is drained after stop(). `listening` is one of the
  // addresses that we listen on.
  SendmailServices(io::Loop& loop, log::MailLog& log, io::Nursery& background,
                   std::optional<Endpoint> listening);

  smtpd::Submitters& submitters() { return submitters_; }

  // Opens the drop directory, and settles what an earlier run had begun: before anything is delivered.
  Task<void> open(const config::Settings& settings, mail::MailSource& spool);
  // At the start and at each reload. `session` is for drops that are begun from here on.
  Task<void> configure(const config::Settings& settings, smtpd::SessionOptionsPtr session);
  // Picks up what is there and what comes; after open() and configure(). Both outlive stop().
  void start(mail::MailSink& sink, smtpd::Observer& observer,
             std::function<void(const mail::QueueEntry&)> on_arrival);
  // As Pickup::keeps().
  bool keeps(const mail::QueueEntry& entry) { return pickup_ && pickup_->keeps(entry); }
  pickup::PickupCounts drops() const { return pickup_ ? pickup_->counts() : pickup::PickupCounts(); }
  // As Pickup::pause(): sendmail(1) leaves mail in the drop directory, and there it stays.
  void pause(bool is_paused) {
    if (pickup_) pickup_->pause(is_paused);
  }
  bool is_idle() const { return !pickup_ || pickup_->is_idle(); }
  // Begins no more; what is under way may end until `grace` is over.
  Task<void> stop(Duration grace);

 private:
  Task<void> write_conf(const config::Settings& settings);

  io::Loop& loop_;
  log::MailLog& log_;
  io::Nursery& background_;
  std::optional<Endpoint> listening_;
  LocalSubmitters submitters_;
  pickup::PickupOptions options_;
  std::optional<pickup::DropDirectory> drop_;  // until the pickup has it
  std::optional<pickup::Pickup> pickup_;
};

// What sendmail(1) must know of the configuration, in a form that needs no YAML library: a small file in the
// spool directory. "hikyaku-sendmail 1", then a line "key value" each; readers skip keys that they do not
// know. Nothing secret stands in it. An address for any interface is given as the loopback one.
std::string sendmail_conf(const config::Settings& settings, const std::optional<Endpoint>& listening);
std::string sendmail_conf_path(const config::Settings& settings);

}  // namespace hikyaku::app
