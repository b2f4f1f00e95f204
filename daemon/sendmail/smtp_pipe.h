// SPDX-License-Identifier: MIT
// -bs and -bS: the caller's SMTP commands go to the daemon, its replies back to the caller.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/fd.h"
#include "daemon/sendmail/exit.h"

namespace hikyaku::sendmail {

// Replaces a reply that the daemon did not send.
inline constexpr std::string_view kDaemonLost = "421 4.3.2 Connection to hikyakud lost, try again later\r\n";

using TakeOutput = std::function<bool(std::string_view bytes)>;  // false: the caller no longer reads

// -bs: copies `in` to the daemon and its replies to `out` until the daemon closes the connection. Passes the
// end of `in` on. If the connection is lost without a 221 or 421, sends kDaemonLost and returns `temporary`.
Exit carry_smtp(Fd daemon, int in, const TakeOutput& out);

// -bS: a batch of SMTP commands whose replies nobody reads. A message follows every DATA, even a refused one,
// so the batch is parsed here and the daemon never takes a line of a message for a command. Sends one command
// of `in` at a time until QUIT or the end of input; `out` receives the replies. If the connection is lost,
// sends kDaemonLost and returns `temporary`.
Exit carry_batch(Fd daemon, int in, const TakeOutput& out);

// The result of a batch, from its replies. Pure.
class BatchReplies {
 public:
  // The next bytes of the server's output, however they are split.
  void take(std::string_view bytes);
  // Fails with the first reply of 400 or more.
  Result<void, Failure> verdict() const;

 private:
  std::string line_;  // not complete yet
  std::optional<Failure> bad_;
};

}  // namespace hikyaku::sendmail
