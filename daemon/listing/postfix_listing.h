// SPDX-License-Identifier: MIT
// The queue as Postfix's mailq prints it with long queue ids, byte for byte, because people's scripts and
// monitoring read that. Pure, but for the machine's time zone.
#pragma once

#include <cstdint>
#include <string>

#include "daemon/mail/queue_state.h"
#include "spool/view.h"

namespace hikyaku::listing {

class PostfixListing {
 public:
  // Lines before the list about what is not, or no longer, in it: mails that have failed, newest first, of
  // the reader's own or of everybody, and what waits in drop/ (drops_text()). Scripts count lines that begin
  // with an id and read the last line: none of these does, or is.
  static std::string notes(const std::vector<mail::FailedMail>& failed, bool is_operator,
                           const std::string& drops);

  // The next mail's lines, with what stands before them.
  std::string entry(const spool::ViewedMail& mail, const mail::MailState& state);
  // The last line.
  std::string end() const;

 private:
  std::uint64_t mails_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace hikyaku::listing
