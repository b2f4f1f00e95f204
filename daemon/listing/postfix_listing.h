// SPDX-License-Identifier: MIT
// The queue exactly as Postfix's mailq prints it with long queue ids, because scripts and monitoring parse
// that. Pure, except for the machine's time zone.
#pragma once

#include <cstdint>
#include <string>

#include "daemon/mail/queue_state.h"
#include "spool/queue_view.h"

namespace hikyaku::listing {

class PostfixListing {
 public:
  // Lines before the list: mails that failed, newest first (the reader's own, or everybody's for an
  // operator), and the mail that waits in drop/ (drops_text()). Scripts count the lines that begin with an id
  // and read the last line; these lines do not interfere with either.
  static std::string notes(const std::vector<mail::FailedMail>& failed, bool is_operator,
                           const std::string& drops);

  // The next mail's lines, preceded by the heading or a blank line.
  std::string entry(const spool::ViewedMail& mail, const mail::MailState& state);
  // The last line.
  std::string end() const;

 private:
  std::uint64_t mails_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace hikyaku::listing
