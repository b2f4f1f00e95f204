// SPDX-License-Identifier: MIT
// The queue in pages, for whoever asks the daemon for it. Reads the spool's files beside the loop, as
// `hikyaku queue` does, with one picture of the log at a time that all who ask share: however many ask, and
// however slowly they read, memory holds one, and nobody waits longer than for one page of each other. From
// any thread, several at a time. Blocks.
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
#include "spool/view.h"

namespace hikyaku::listing {

class QueueReader {
 public:
  // The clock outlives it.
  QueueReader(std::string directory, Clock& clock) : directory_(std::move(directory)), clock_(clock) {}

  struct Page {
    std::vector<spool::ViewedMail> mails;  // that fit, oldest first
    std::vector<mail::MailId> unreadable;  // damaged, or the disk does not give them
    std::optional<mail::MailId> next;      // where to go on; nothing: that was the end
  };
  using Fits = std::function<bool(const spool::ViewedMail&)>;

  // From the first mail behind `after` until `limit` fit, or for a fraction of a second. What was queued at
  // the time `as_of`, and still is, is not left out. Errors: as explain() has them.
  Result<Page, StartError> page(mail::MailId after, std::size_t limit, const Fits& fits, Instant as_of);

  const std::string& directory() const { return directory_; }
  // Gives up what nobody has asked for since the last call.
  void rest();

 private:
  Result<void, StartError> refresh(Instant as_of) REQUIRES(mutex_);
  void look_at(mail::MailId id, const Fits& fits, Page& page) REQUIRES(mutex_);

  std::string directory_;
  Clock& clock_;
  Mutex mutex_;
  std::unique_ptr<spool::Disk> disk_ GUARDED_BY(mutex_);
  std::optional<spool::View> view_ GUARDED_BY(mutex_);
  Instant taken_ GUARDED_BY(mutex_){};        // when view_ was begun to be taken
  bool was_used_ GUARDED_BY(mutex_) = false;  // since rest()
};

// Why a spool cannot be read, for people. Blocks.

// Errors of reading the spool in `directory`: no_input, no_permission, try_again, io.
StartError explain(const spool::ViewError& error, const std::string& directory);

// How many mails sendmail(1) has left in drop/ that nobody has fetched yet: they are queued for whoever sent
// them, and no part of the spool's log. Blocks.

// Of `owner`, or of everybody. nullopt: the directory may not be read, or is not there.
std::optional<std::size_t> count_drops(const std::string& spool, std::optional<std::uint32_t> owner);

// "2 mails wait in /var/spool/hikyaku/drop to be fetched by hikyakud"; empty: none.
std::string drops_text(const std::string& spool, std::optional<std::uint32_t> owner);

}  // namespace hikyaku::listing
