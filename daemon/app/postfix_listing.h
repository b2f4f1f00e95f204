// SPDX-License-Identifier: MIT
// The queue as Postfix's mailq prints it with long queue ids, byte for byte, because people's scripts and
// monitoring read that. Pure, but for the machine's time zone.
#pragma once

#include <cstdint>
#include <string>

#include "spool/view.h"

namespace hikyaku::app {

class PostfixListing {
 public:
  // The next mail's lines, with what stands before them.
  std::string entry(const spool::ViewedMail& mail);
  // The last line.
  std::string end() const;

 private:
  std::uint64_t mails_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace hikyaku::app
