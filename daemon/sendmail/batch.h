// SPDX-License-Identifier: MIT
// -bS: a batch of SMTP commands whose replies nobody reads. A message follows each DATA, whether it was
// refused or not; so the batch is taken apart here, and the daemon never gets a line of a message for a
// command.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/fd.h"
#include "daemon/sendmail/exit.h"
#include "daemon/sendmail/smtp_pipe.h"

namespace hikyaku::sendmail {

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
