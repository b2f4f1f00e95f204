// SPDX-License-Identifier: MIT
// Name look-up. An interface, because tests inject it; the real one is getaddrinfo on libuv's pool, which
// cannot be cancelled: a late answer is discarded.
#pragma once

#include <string>
#include <vector>

#include "daemon/base/exit.h"
#include "daemon/io/loop.h"
#include "daemon/io/stream.h"

namespace hikyaku::io {

class Resolver {
 public:
  virtual ~Resolver() = default;
  // IPv6 and IPv4 addresses in the order they should be tried, at least one, no duplicates. An address as
  // `host` is itself. Errors: no_such_name, lookup_failed, timeout, cancelled.
  virtual Task<Result<std::vector<IpAddress>, IoError>> resolve(std::string host, Until until) = 0;
};

class SystemResolver final : public Resolver {
 public:
  explicit SystemResolver(Loop& loop) : loop_(loop) {}
  Task<Result<std::vector<IpAddress>, IoError>> resolve(std::string host, Until until) override;
  // Look-ups whose answer has not come, abandoned ones included. The process may leave while only those are
  // left.
  static int outstanding();
  // The end of a program: returns `exit`; but if a look-up is outstanding, for which the end of main() would wait,
  // flushes standard output and ends the process with that code.
  static Exit leave(Exit exit);

 private:
  Loop& loop_;
};

}  // namespace hikyaku::io
