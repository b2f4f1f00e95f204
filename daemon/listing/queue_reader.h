// SPDX-License-Identifier: MIT
// The queue in pages, for requests to the daemon. Reads the spool outside the loop, as `hikyaku
// queue` does. All requests share one view of it, so memory holds only one, however many clients there
// are and however slowly they read; each waits at most for one page of each other. May be called from any
// thread, also concurrently. Blocks.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/exit.h"
#include "daemon/base/mutex.h"
#include "daemon/listing/mail_brief.h"
#include "spool/view.h"

namespace hikyaku::listing {

class QueueReader {
 public:
  // Opens the spool; one view at a time. Errors: see explain().
  using OpenView = std::function<Result<std::shared_ptr<spool::QueueView>, StartError>()>;
  // Of the spool in `directory`; or of the one that `open` opens, where that has only drop/. The clock outlives it.
  QueueReader(std::string directory, Clock& clock, OpenView open = nullptr);

  struct Page {
    std::vector<spool::ViewedMail> mails;  // those that fit, oldest first
    std::vector<mail::MailId> unreadable;  // damaged, or unreadable on the disk
    std::optional<mail::MailId> next;      // continue after this mail; nullopt: the end
  };
  struct Wanted {
    std::function<bool(const spool::ViewedMail&)> fits;
    // Spares the reading of mails that would not fit; null: nothing is known beforehand.
    std::function<bool(const MailBrief&)> rules_out{};
  };

  // Looks at the mails after `after` until `limit` of them fit, or for a fraction of a second. Includes every
  // mail that was queued at the time `as_of` and still is. Errors: see explain().
  Result<Page, StartError> page(mail::MailId after, std::size_t limit, const Wanted& wanted, Instant as_of);

  const std::string& directory() const { return directory_; }
  // Drops the shared view, or closes its connection, if no page was requested since the last call.
  void rest();

 private:
  Result<void, StartError> refresh(Instant as_of) REQUIRES(mutex_);
  StartError lost(const spool::ViewError& error) REQUIRES(mutex_);
  void look_at(const spool::Glance& glance, const Wanted& wanted, Page& page) REQUIRES(mutex_);

  std::string directory_;
  Clock& clock_;
  OpenView open_;
  Mutex mutex_;
  std::shared_ptr<spool::QueueView> view_ GUARDED_BY(mutex_);
  Instant taken_ GUARDED_BY(mutex_){};        // when reading view_ began
  bool was_used_ GUARDED_BY(mutex_) = false;  // since rest()
};

// A view of the spool in `directory` with its disk, of one mail or of all. Blocks.
Result<std::shared_ptr<spool::QueueView>, StartError> open_directory(
    const std::string& directory, std::optional<mail::MailId> only = std::nullopt);

// Says in plain words why the spool in `directory` cannot be read: no_input, no_permission, try_again or io.
// Blocks.
StartError explain(const spool::ViewError& error, const std::string& directory);

// Counts the mails of `owner` (default: everybody) that sendmail(1) left in drop/ and the daemon has not
// fetched yet: users see them as queued, but the spool's log does not have them. Returns nullopt if the
// directory is missing or may not be read. Blocks.
std::optional<std::size_t> count_drops(const std::string& spool, std::optional<std::uint32_t> owner);

// "2 mails wait in /var/spool/hikyaku/drop to be fetched by hikyakud"; empty if there are none.
std::string drops_text(const std::string& spool, std::optional<std::uint32_t> owner);

}  // namespace hikyaku::listing
