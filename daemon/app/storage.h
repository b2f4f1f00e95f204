// SPDX-License-Identifier: MIT
// The spool as the daemon has it: the one on the disk or the one in a database, opened as the settings say; its damage
// and its trouble reported in the log. Nobody else needs to know which it is. The loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daemon/base/exit.h"
#include "daemon/config/settings.h"
#include "daemon/io/loop.h"
#include "daemon/io/resolver.h"
#include "daemon/log/mail_log.h"
#include "daemon/system/directories.h"
#include "spool/postgresql/link.h"
#include "spool/postgresql/shared_spool.h"
#include "spool/spool.h"

namespace hikyaku::app {

class Storage {
 public:
  // Loop and log outlive the storage.
  static Task<Result<std::unique_ptr<Storage>, StartError>> open(io::Loop& loop, log::MailLog& log,
                                                                 const config::Settings& settings);
  Storage(const Storage&) = delete;
  virtual ~Storage() = default;

  virtual spool::Store& spool() = 0;
  // Who shares it; null: nobody.
  virtual mail::Fleet* fleet() { return nullptr; }
  // Called each time there is room for new mail again.
  void set_on_recovery(std::function<void()> on_recovery) { on_recovery_ = std::move(on_recovery); }

  // For the line of the start: whether what is stored outlives the machine's next stop.
  virtual std::string_view durability() const { return "durable"; }

  // Why new mail is refused, in a sentence; empty: new mail is accepted.
  virtual std::string trouble() const = 0;
  // The same after another look.
  virtual Task<std::string> trouble_now() = 0;

 protected:
  Storage(log::MailLog& log, config::SpoolSettings settings) : log_(log), settings_(std::move(settings)) {}

  log::MailLog& log_;
  config::SpoolSettings settings_;  // which a reload does not change
  std::function<void()> on_recovery_ = [] {};
};

class LocalStorage final : public Storage {
 public:
  static Task<Result<std::unique_ptr<Storage>, StartError>> open(io::Loop& loop, log::MailLog& log,
                                                                 const config::Settings& settings);

  spool::Store& spool() override { return *spool_; }
  std::string_view durability() const override { return forgetful_ ? "not-durable" : "durable"; }
  std::string trouble() const override { return in_words(spool_->trouble()); }
  Task<std::string> trouble_now() override;

 private:
  LocalStorage(io::Loop& loop, log::MailLog& log, config::SpoolSettings settings)
      : Storage(log, std::move(settings)),
        loop_(loop),
        forgetful_(system::forgetful_file_system(settings_.directory)) {}

  void report_from_here_on();
  void report(const std::optional<spool::Trouble>& trouble);
  std::string in_words(const std::optional<spool::Trouble>& trouble) const;

  io::Loop& loop_;
  std::optional<system::Forgetful> forgetful_;
  std::unique_ptr<spool::Disk> disk_;
  std::unique_ptr<spool::Spool> spool_;
};

// The directory still has its lock, what sendmail(1) leaves in drop/, and sendmail.conf.
class SharedStorage final : public Storage {
 public:
  static Task<Result<std::unique_ptr<Storage>, StartError>> open(io::Loop& loop, log::MailLog& log,
                                                                 const config::Settings& settings);

  spool::Store& spool() override { return *spool_; }
  mail::Fleet* fleet() override { return &spool_->fleet(); }
  std::string trouble() const override { return spool_->trouble().value_or(""); }
  Task<std::string> trouble_now() override { co_return trouble(); }

 private:
  SharedStorage(io::Loop& loop, log::MailLog& log, config::SpoolSettings settings,
                const postgresql::Libpq& pq, postgresql::Address address);

  Result<void, StartError> lock_directory();
  void report_from_here_on();

  std::unique_ptr<spool::Disk> disk_;
  std::unique_ptr<spool::DiskLock> lock_;
  postgresql::Address address_;
  io::SystemResolver resolver_;
  postgresql::Link commits_, reads_, lease_, bell_;
  std::unique_ptr<postgresql::SharedSpool> spool_;
};

}  // namespace hikyaku::app
