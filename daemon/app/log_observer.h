// SPDX-License-Identifier: MIT
// Events of the SMTP server as lines of the mail log: accepted messages, refusals, and violations of the
// protocol by clients.
#pragma once

#include "daemon/log/mail_log.h"
#include "smtpd/observer.h"

namespace hikyaku::app {

class LogObserver final : public smtpd::Observer {
 public:
  // The log outlives the observer.
  explicit LogObserver(log::MailLog& log) : log_(log) {}

  void accepted(const smtpd::Client& client, const smtpd::Accepted& what) override;
  void rejected(const smtpd::Client& client, const smtpd::Rejected& what) override;
  void odd(const smtpd::Client& client, smtpd::Oddity oddity) override;
  void broke_down(const std::string& what) override;

 private:
  log::MailLog& log_;
};

}  // namespace hikyaku::app
