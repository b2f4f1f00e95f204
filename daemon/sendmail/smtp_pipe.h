// SPDX-License-Identifier: MIT
// -bs: the caller speaks SMTP on standard input and output, the daemon answers; we only carry the bytes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/fd.h"
#include "daemon/sendmail/exit.h"

namespace hikyaku::sendmail {

// In place of the reply that the daemon has not given.
inline constexpr std::string_view kDaemonLost = "421 4.3.2 The daemon has gone, try again\r\n";

using TakeOutput = std::function<bool(std::string_view bytes)>;  // false: nobody is there to take it

// Carries `in` to the daemon and its answers to `out` until it hangs up. The end of `in` is passed on. If the
// daemon is lost without a farewell, a 421 takes its place, and the exit code is `temporary`.
Exit carry_smtp(Fd daemon, int in, const TakeOutput& out);

// -bS: a batch of SMTP commands whose replies nobody reads. A message follows each DATA, whether it was
// refused or not; so the batch is taken apart here, and the daemon never gets a line of a message for a
// command.

// Speaks what comes from `in` to the daemon, a command at a time, until QUIT or the end of input; `out` gets
// its replies. If the daemon is lost, a 421 takes the place of its reply, and the exit code is `temporary`.
Exit carry_batch(Fd daemon, int in, const TakeOutput& out);

// What comes of a batch. Pure.
class BatchReplies {
 public:
  // The next bytes of the server's output, in any cut.
  void take(std::string_view bytes);
  // Fails with the first reply of 400 or more.
  Result<void, Failure> verdict() const;

 private:
  std::string line_;  // not complete
  std::optional<Failure> bad_;
};

}  // namespace hikyaku::sendmail
