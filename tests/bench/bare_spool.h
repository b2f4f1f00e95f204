// SPDX-License-Identifier: MIT
// A spool in a real directory with nothing around it: no SMTP, no relay. Its writers hand in messages of 2
// KiB as fast as they are acknowledged. Throws std::runtime_error where the spool gives an error: a benchmark
// of refusals means nothing. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/io/loop.h"
#include "spool/spool.h"

namespace hikyaku::bench {

// What becomes of an acknowledged message.
enum class Fate {
  stay,
  end,  // its DONE is submitted at once and shares the next flush: the ring turns
};

struct Yield {
  std::uint64_t messages = 0;
  double seconds = 0;
  spool::SpoolCounters spent;
  Yield& operator+=(const Yield& other);
};

class BareSpool {
 public:
  explicit BareSpool(const std::string& directory);
  ~BareSpool();  // closes it

  // `writers` writers until `seconds` have passed, or `messages` messages are acknowledged.
  Yield take_for(double seconds, std::size_t writers, Fate fate);
  Yield take(std::uint64_t messages, std::size_t writers);
  // Ends everything that is queued.
  void empty();
  // Everything that is queued has been refused once and waits for so long.
  void defer(Duration wait);

 private:
  struct Order;
  Yield carry_out(Order& order, std::size_t writers);
  Task<void> run(Order& order, std::size_t writers);
  Task<void> write_on(Order& order);
  Task<void> end(mail::MailId id);
  Task<void> defer_one(mail::MailId id, Duration wait);
  void for_all(std::function<Task<void>(mail::MailId)> what);
  Task<void> for_these(std::vector<mail::QueueEntry> entries, std::function<Task<void>(mail::MailId)> what);

  SystemClock clock_;
  io::Loop loop_{clock_};
  std::unique_ptr<spool::Disk> disk_;
  std::unique_ptr<spool::Spool> spool_;
  std::string content_;
};

}  // namespace hikyaku::bench
