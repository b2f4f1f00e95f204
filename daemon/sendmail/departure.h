// SPDX-License-Identifier: MIT
// What happens when somebody stops sendmail(1) halfway: the file it was writing is removed and the exit code
// is 75, nothing was stored. Where it can no longer be told whether the mail was stored, a signal waits.
#pragma once

#include <string>

#include "daemon/sendmail/exit.h"

namespace hikyaku::sendmail {

// For INT, TERM, HUP (unless the caller ignores them), QUIT, ALRM, XCPU and their like; PIPE and XFSZ become
// errors of the call. Signals that the caller had blocked are let through.
// An exception that finds no memory to be thrown ends the program in the same way.
void watch_signals();

// What the exit code of such an end is: `temporary` until the mail is stored, `ok` from then on.
void will_leave_with(Exit code);

// Files that must not stay behind, three at most. `directory` is an open descriptor.
void will_remove(int directory, const std::string& name);
void need_not_remove(const std::string& name);

// While it lives no signal gets through. May be nested.
class Undisturbed {
 public:
  Undisturbed();
  ~Undisturbed();
  Undisturbed(const Undisturbed&) = delete;
  Undisturbed& operator=(const Undisturbed&) = delete;
};

}  // namespace hikyaku::sendmail
