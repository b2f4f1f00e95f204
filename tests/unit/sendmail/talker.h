// SPDX-License-Identifier: MIT
// A program that speaks SMTP to sendmail -bs over a pipe, from a thread of its own: each of its writes waits
// until the session has said something and sleeps, waiting for more.
#pragma once

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "daemon/base/error.h"
#include "daemon/base/fd.h"
#include "daemon/base/text.h"

namespace hikyaku::test {

class Talker {
 public:
  struct Write {
    std::string_view after;  // what must have been said by then; empty: anything
    std::string_view bytes;
  };

  // The session runs in this thread. At the end of the writes the input ends.
  explicit Talker(std::vector<Write> writes) : session_(::syscall(SYS_gettid)), writes_(std::move(writes)) {
    int ends[2];
    check(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "a pipe");
    theirs_.reset(ends[0]);
    ours_.reset(ends[1]);
    thread_ = std::thread([this] { talk(); });
  }
  ~Talker() {
    theirs_.reset();
    thread_.join();
  }
  Talker(const Talker&) = delete;
  Talker& operator=(const Talker&) = delete;

  int fd() const { return theirs_.get(); }
  bool hear(std::string_view bytes) {
    std::scoped_lock lock(mutex_);
    said_ += bytes;
    return true;
  }
  std::string said() {
    std::scoped_lock lock(mutex_);
    return said_;
  }

 private:
  void talk() {
    for (const Write& write : writes_) {
      while (said().find(write.after) == std::string::npos || !is_asleep()) std::this_thread::yield();
      if (::send(ours_.get(), write.bytes.data(), write.bytes.size(), MSG_NOSIGNAL) < 0) return;
    }
    ::shutdown(ours_.get(), SHUT_WR);
  }

  // Until what we wrote before is read, it is not waiting for more.
  bool is_asleep() const {
    std::ifstream file(cat("/proc/self/task/", std::to_string(session_), "/stat"));
    std::string stat;
    std::getline(file, stat);
    std::size_t name_end = stat.rfind(") ");
    return name_end != stat.npos && stat[name_end + 2] == 'S';
  }

  long session_;
  std::vector<Write> writes_;
  Fd theirs_;
  Fd ours_;
  std::mutex mutex_;
  std::string said_;
  std::thread thread_;
};

}  // namespace hikyaku::test
