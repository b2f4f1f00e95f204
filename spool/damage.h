// SPDX-License-Identifier: MIT
// One thing that was found damaged, and the one line that tells people: what is wrong with which file, whose
// mail it was where that is still known, what it means for that mail, and whether a copy could be kept. Plain
// values; the line is printable whatever the bytes were.
#pragma once

#include <optional>
#include <string>

#include "spool/salvage.h"

namespace hikyaku::spool {

// What the damage means.
enum class Loss {
  none,      // nothing: no clause in the line
  whatever,  // not known: mail is lost, and mail that had ended may be sent again
  mail,      // a MESSAGE: it will never be sent
  progress,  // a PROGRESS: the mail stands at an older state
  end,       // a DONE: the mail may be sent again
  nothing,   // the record that was hit meant nothing any more
};

enum class Copy {
  none,  // there is nothing to copy
  made,
  failed,
};

struct DamageReport {
  std::string file;    // as the Disk names it
  std::string reason;  // what is wrong with it: "has 512 damaged bytes", "is missing"
  std::optional<LostRecord> record;
  Loss loss = Loss::none;
  Copy copy = Copy::none;  // in corrupt/
  std::string copy_error;  // why it failed
};

std::string to_line(const DamageReport& report);

}  // namespace hikyaku::spool
