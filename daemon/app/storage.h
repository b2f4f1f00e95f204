// SPDX-License-Identifier: MIT
// The spool as the daemon has it: opened as the settings say, its damage and its disk's trouble reported in
// the log. The loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daemon/base/exit.h"
#include "daemon/config/settings.h"
#include "daemon/io/loop.h"
#include "daemon/log/mail_log.h"
#include "daemon/system/directories.h"
#include "spool/spool.h"

namespace hikyaku::app {

class Storage {
 public:
  // Loop and log outlive the storage.
  static Task<Result<std::unique_ptr<Storage>, StartError>> open(io::Loop& loop, log::MailLog& log,
                                                                 const config::Settings& settings);
  Storage(const Storage&) = delete;

  spool::Spool& spool() { return *spool_; }
  // Called each time the disk has room for new mail again.
  void set_on_recovery(std::function<void()> on_recovery) { on_recovery_ = std::move(on_recovery); }

  // For the line of the start: whether what is stored outlives the machine's next stop.
  std::string_view durability() const { return forgetful_ ? "not-durable" : "durable"; }

  // Why new mail is refused, in a sentence; empty: new mail is accepted.
  std::string trouble() const { return in_words(spool_->trouble()); }
  // The same after another look at the disk.
  Task<std::string> trouble_now();

 private:
  Storage(io::Loop& loop, log::MailLog& log, config::SpoolSettings settings);

  void report_from_here_on();
  void report(const std::optional<spool::Trouble>& trouble);
  std::string in_words(const std::optional<spool::Trouble>& trouble) const;

  io::Loop& loop_;
  log::MailLog& log_;
  config::SpoolSettings settings_;  // which a reload does not change
  std::optional<system::Forgetful> forgetful_;
  std::unique_ptr<spool::Disk> disk_;
  std::unique_ptr<spool::Spool> spool_;
  std::function<void()> on_recovery_ = [] {};
};

}  // namespace hikyaku::app
