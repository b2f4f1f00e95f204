// SPDX-License-Identifier: MIT
// `hikyaku drain`: intake stops, everything is tried once, and the rest is handed to a peer as to a smarthost that
// takes all mail. There is no other way of delivery: a mail ends here as any other does, once the peer's 250 is on
// record. Mail that is held stays. When the queue is empty nothing more is taken until the daemon is started again or
// told to; in every other case it takes mail again and goes back to its own smarthosts. So does a drain that nobody
// asks about any more. The loop's thread.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "daemon/config/authinfo.h"
#include "daemon/control/daemon_control.h"
#include "daemon/io/nursery.h"
#include "daemon/log/mail_log.h"
#include "daemon/mail/smarthost.h"

namespace hikyaku::relay {
class Relay;
}
namespace hikyaku::smtpd {
class Acceptor;
}

namespace hikyaku::app {

class SendmailServices;

// How long a drain goes on without anybody who asks about it.
inline constexpr Duration kDrainLease = 1min;

// All outlive the drain.
struct DrainParts {
  io::Loop& loop;
  log::MailLog& log;
  relay::Relay& relay;
  smtpd::Acceptor& acceptor;
  SendmailServices& sendmail;
  // The entries for log-ins as they are now, for the peer.
  std::function<Task<Result<config::Authinfo, config::Problems>>()> credentials;
  std::function<Duration()> grace;  // for clients that are in the middle of a mail
};

class Drain {
 public:
  explicit Drain(DrainParts parts);

  // Begins a drain, follows one (answers at its end, or after a moment), or ends it. The error says why there is no
  // drain, or not this one.
  Task<Result<relay::DrainReport, std::string>> obey(control::DrainOrder order);
  // Of the drain that is under way, or has drained the daemon; and the end of the last one.
  std::optional<relay::DrainReport> report() const;
  // The daemon takes no mail because of this.
  bool is_closed() const { return report_ && report_->is_closed(); }
  // The daemon stops: what is left stays in the spool. No task is left when it returns.
  Task<void> stop();

 private:
  using Stage = relay::DrainReport::Stage;

  Task<Result<void, std::string>> begin(const control::DrainOrder& order);
  Task<Result<mail::Smarthost, std::string>> peer_at(std::string url);
  Task<void> run();
  Task<void> try_everything();
  Task<void> hand_over();
  Task<void> look();
  void settle();
  void give_up(std::string why);
  bool goes_on() const { return is_running_ && !is_stopping_ && !is_ended_; }
  bool is_quiet() const;

  DrainParts parts_;
  std::optional<relay::DrainReport> report_;  // stage, peer and reason; the numbers are of report()
  std::optional<mail::Smarthost> peer_;
  Instant asked_;  // the last time
  bool is_running_ = false;
  bool is_ended_ = false;  // by the operator, or because nobody asks
  bool is_stopping_ = false;
  io::Event changed_;
  io::Nursery nursery_;
};

}  // namespace hikyaku::app
