// SPDX-License-Identifier: MIT
// One line on a terminal while somebody waits: what is done, and how far it is. It appears after a second, so that quick
// work shows nothing, and is wiped out in the end. Where standard error is no terminal, or a "dumb" one, there is none.
// While it lives, nothing else may be printed. Its thread touches nothing but the counts.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "daemon/base/clock.h"

namespace hikyaku::commands {

// What stands on the line, without the end of it: "checking the spool … 12000 of 50000 mails, 3 s". A total of 0 is
// not known.
std::string progress_text(const std::string& what, std::uint64_t done, std::uint64_t total, Duration since);

class Progress {
 public:
  // `what` is something like "checking the spool".
  explicit Progress(std::string what, int fd = 2, Duration patience = 1s);
  Progress(const Progress&) = delete;
  ~Progress();

  // Counts of mails. May be called for each of a million.
  void expect(std::uint64_t total) { total_ = total; }
  void count_one() { ++done_; }

 private:
  void run(const std::stop_token& stop, Duration patience);
  void show(Duration since);

  std::string what_;
  int fd_;
  std::atomic<std::uint64_t> done_ = 0;
  std::atomic<std::uint64_t> total_ = 0;
  std::mutex mutex_;
  std::condition_variable_any woken_;
  bool is_shown_ = false;
  std::jthread thread_;  // the last member: it ends before the others do
};

}  // namespace hikyaku::commands
