// SPDX-License-Identifier: MIT
// Hands a mail to the daemon by the first way that works: its socket; the drop directory if it does not
// answer; its SMTP port. Recipients that one way did not accept go the next way. Success means durable.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daemon/sendmail/content.h"
#include "daemon/sendmail/daemon_info.h"
#include "daemon/sendmail/drop.h"
#include "daemon/sendmail/message.h"
#include "daemon/sendmail/submission.h"

namespace hikyaku::sendmail {

class Delivery {
 public:
  Delivery(const DaemonInfo& info, Message message, Input& input, Dialogue::Watch watch);

  // Returns the ids that the daemon assigned; mail in the drop directory has none yet. Fails with `temporary`
  // only if nothing was stored, or if the text says what was.
  Result<std::vector<std::string>, Failure> run();

 private:
  Result<void, Failure> keep_content();
  Result<bool, Failure> over(const std::string& where, Result<Fd, LinkError> connected);
  Result<bool, Failure> over_port();
  Result<void, Refusal> submit(Fd fd);
  Result<bool, Failure> into_drop();
  Result<void, Failure> drop_some(std::span<const Address> recipients);
  std::span<const Address> next_batch() const;
  void add_reason(std::string_view where, std::string_view why);
  Failure explain(Failure failure) const;

  const DaemonInfo& info_;
  Message message_;
  Input& input_;
  Dialogue::Watch watch_;
  Result<DropDirectory, Failure> drop_;
  std::unique_ptr<Draft> draft_;  // holds content that is too long for memory, for the first batch
  std::unique_ptr<Content> content_;
  std::span<const Address> left_;  // recipients not accepted by any way yet
  std::vector<std::string> ids_;
  std::string reasons_;
  // Set once something may have been stored: the exit code after a signal would then be wrong.
  std::optional<SignalBlock> signal_block_;
};

}  // namespace hikyaku::sendmail
