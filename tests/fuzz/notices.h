// SPDX-License-Identifier: MIT
// What holds for the text of every notice.
#pragma once

#include <string>

#include "daemon/base/text.h"
#include "daemon/mail/dsn.h"
#include "tests/fuzz/fuzz.h"

namespace hikyaku::test {

inline void check_canonical(const std::string& notice) {
  check(notice.ends_with("\r\n") && notice.find('\0') == notice.npos, "a notice is not canonical");
  for (std::string_view line : split(std::string_view(notice).substr(0, notice.size() - 2), '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    check(line.size() <= mail::kMaxLine && line.find('\r') == line.npos,
          "a line of a notice is not canonical");
  }
}

}  // namespace hikyaku::test
