// SPDX-License-Identifier: MIT
// -bS: the replies to a batch of SMTP commands, of which nobody reads any. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/sendmail/exit.h"

namespace hikyaku::sendmail {

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
