// SPDX-License-Identifier: MIT
// What happens when somebody stops sendmail(1) halfway: the file it was writing is removed and the exit code
// is 75, nothing was stored. Where it can no longer be told whether the mail was stored, a signal waits.
#pragma once

#include <sys/types.h>

#include <string>

#include "daemon/sendmail/exit.h"

namespace hikyaku::sendmail {

// For INT, TERM, HUP (unless the caller ignores them), QUIT, ALRM, XCPU and their like; PIPE and XFSZ become
// errors of the call. Signals that the caller had blocked are let through.
// An exception that finds no memory to be thrown ends the program in the same way.
void watch_signals();

// What the exit code of such an end is: `temporary` until the mail is stored, `ok` from then on.
void set_exit_code_of_signals(Exit code);

// Files that must not stay behind, three at most. `directory` is an open descriptor.
void will_remove(int directory, const std::string& name);
void need_not_remove(const std::string& name);

// While it lives no signal gets through. May be nested.
class SignalBlock {
 public:
  SignalBlock();
  ~SignalBlock();
  SignalBlock(const SignalBlock&) = delete;
  SignalBlock& operator=(const SignalBlock&) = delete;
};

// What the caller of a set-gid program chooses and must not choose: environment, descriptors, limits, umask.
// Put right once, before anything else is done.

// The environment is emptied; the descriptors 0 to 2 are open (on /dev/null if they were not) and none
// beyond; the soft limit of file sizes is the hard one; no core is dumped; what is created is nobody else's.
void sanitize_process();

// Whether standard input was open when the program began. Valid after sanitize_process.
bool has_input();

// The one privilege of sendmail(1): the group hikyaku-submit, by the set-gid bit, for the drop directory. It
// is laid down at the very start and taken up only around the calls that need it. For the whole process, one
// thread.

// Before anything else. True if the program runs set-gid (or with another id than its caller's).
bool drop_privilege();
// Whether there is one to take up.
bool has_privilege();

class WithPrivilege {
 public:
  WithPrivilege();
  ~WithPrivilege();
  WithPrivilege(const WithPrivilege&) = delete;
  WithPrivilege& operator=(const WithPrivilege&) = delete;
};

// The same without a word to the C library, for a signal handler; for good.
void regain_privilege_in_handler();

}  // namespace hikyaku::sendmail
