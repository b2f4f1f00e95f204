// SPDX-License-Identifier: MIT
// Tries one smarthost from the look-up of its name to the addresses of a usual mail, and sends a test mail if
// that is wanted. Goes the lanes' own way (smtpc::Client), so that a failure here is the failure of the log,
// and a password is tried as often as a lane would, on one connection. Sends no mail unless it is told to.
// The loop's thread.
#pragma once

#include <memory>
#include <string>

#include "daemon/checkup/doubts.h"
#include "daemon/checkup/report.h"
#include "daemon/io/loop.h"
#include "smtpc/client.h"

namespace hikyaku::checkup {

struct CheckQuestion {
  mail::Smarthost smarthost;  // with its credentials; with `direct` the host is the recipient's domain
  std::string hostname;       // ours, for EHLO
  std::string domain;         // ours, for the Message-ID
  std::string sender;         // of the usual mail, before this smarthost's rewriting
  std::string recipient;
  bool sends = false;                    // a test mail to the recipient
  std::uint64_t max_size = 0;            // of the configuration
  const dkim::KeyRing* keys = nullptr;   // that sign the test mail; null: none
  smtpc::TokenSource* tokens = nullptr;  // null only without `oauth`
};

class SmarthostCheck final : private smtpc::OpeningObserver {
 public:
  // All references outlive the check.
  SmarthostCheck(io::Loop& loop, smtpc::Connector& connector, CheckQuestion question, Journal& journal);
  SmarthostCheck(const SmarthostCheck&) = delete;

  // Once.
  Task<Report> run();

 private:
  using Step = Result<void, mail::Failure>;

  void greeted(const mail::Reply& greeting) override;
  void encrypted(const io::TlsInfo& tls) override;
  void introduced(const mail::Capabilities& offered) override;

  Task<Step> go_through();
  Task<Step> connect();
  Task<Step> open();
  void note_login();
  Task<Step> rehearse();
  Task<Step> send();
  Report report(const Step& result);

  io::Loop& loop_;
  smtpc::Connector& connector_;
  CheckQuestion question_;
  Journal& journal_;
  Seen seen_;
  smtpc::PeerKnowledge knowledge_;
  std::shared_ptr<io::TlsClient> tls_;
  std::unique_ptr<smtpc::Client> client_;
  std::vector<std::string> warnings_;
};

// A connection's time-outs for somebody who waits at a terminal: no longer than a minute, where a daemon may
// wait for five.
mail::SmtpTimeouts for_people(mail::SmtpTimeouts timeouts);

}  // namespace hikyaku::checkup
