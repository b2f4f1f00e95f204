// SPDX-License-Identifier: MIT
// What the daemon finds odd about its own set-up: a warning in the log at the start and after each reload,
// kept for `hikyaku status`. The loop's thread; what has to be looked up is, on the pool.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/config/settings.h"
#include "daemon/config/warnings.h"
#include "daemon/io/loop.h"
#include "daemon/log/mail_log.h"

namespace hikyaku::app {

class SetupWarnings {
 public:
  // Loop and log outlive this. `was_root`: root has read `config_file`, so that the daemon's user may not be
  // able to read the file again at a reload.
  SetupWarnings(io::Loop& loop, log::MailLog& log, std::string config_file, bool was_root);

  // `facts`: what the caller knows; the rest is found out. Suspends, perhaps for long: the user database may be on another machine. Only warnings that are not among
  // now() go to the log.
  Task<void> check(config::Settings settings, config::SetupFacts facts);
  const std::vector<std::string>& now() const { return warnings_; }
  // The next check() logs them all again.
  void clear() { warnings_.clear(); }

 private:
  io::Loop& loop_;
  log::MailLog& log_;
  std::string config_file_;
  bool was_root_;
  std::vector<std::string> warnings_;
};

// Whether PREFIX/sbin/sendmail, which cron and scripts call, is still ours: a package with a mail server of
// its own replaces the program silently. Returns what is wrong, in a sentence; nullopt if all is well or
// hikyaku is not installed in PREFIX. Blocks.
std::optional<std::string> judge_installed_sendmail(const std::string& prefix);

// Where this program is installed: "/usr" for /usr/sbin/hikyakud.
std::string installation_prefix();

}  // namespace hikyaku::app
