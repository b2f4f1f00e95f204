// SPDX-License-Identifier: MIT
// The journal's own protocol: an entry is a datagram of named fields, so that `journalctl HIKYAKU_ID=…` finds all lines
// of a mail. libsystemd's sd_journal_sendv() is not used, because it waits while journald is busy, and with it would the
// relay; and because it takes one entry a call.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "daemon/base/fd.h"
#include "daemon/base/mutex.h"
#include "daemon/log/line.h"

namespace hikyaku::log {

// "<6>": of sd-daemon(3), how a line on standard error tells journald its priority.
std::string_view journal_prefix(LogLevel level);

// An entry as journald reads it: MESSAGE, PRIORITY, SYSLOG_IDENTIFIER, and HIKYAKU_ with its name in capitals for each
// field of the line; for a list of addresses, once for each of the first ten. Pure.
std::string to_journal_entry(const Line& line, std::string_view message);

// Where journald listens. send() never waits: while journald is busy, a thread sends what waits, in order, and what is
// too much for a bounded memory is lost and counted. One caller at a time.
class JournalSocket {
 public:
  static constexpr std::size_t kMostWaiting = 4 * 1024 * 1024;  // bytes

  explicit JournalSocket(std::string_view path);
  JournalSocket(const JournalSocket&) = delete;
  // Gives a busy journald a second for the rest.
  ~JournalSocket();

  // All of them in one system call, if journald takes them. False: nobody listens there, and the entries, or the last
  // of them, are not sent.
  bool send(const std::vector<std::string>& entries);

 private:
  enum class Sent : std::uint8_t { yes, busy, no };

  Sent send_at_once(const std::vector<std::string>& entries, std::size_t& done);
  Sent send_patiently(const std::string& entry);
  void keep(const std::vector<std::string>& entries, std::size_t from) REQUIRES(mutex_);
  void start_thread();
  void settle(const std::string& entry, Sent sent) REQUIRES(mutex_);
  void run();

  Fd socket_;
  sockaddr_un address_{};
  socklen_t address_length_ = 0;
  Mutex mutex_;
  Condition changed_;
  std::deque<std::string> waiting_ GUARDED_BY(mutex_);
  std::size_t waiting_bytes_ GUARDED_BY(mutex_) = 0;
  std::uint64_t lost_ GUARDED_BY(mutex_) = 0;
  bool is_stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;  // from the first time that journald is busy
};

}  // namespace hikyaku::log
