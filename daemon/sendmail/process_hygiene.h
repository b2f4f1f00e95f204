// SPDX-License-Identifier: MIT
// The process of sendmail(1): what its caller must not choose, the set-gid privilege, and clean-up after a
// signal. For the whole process, which has one thread.
#pragma once

#include <sys/types.h>

#include <string>

#include "daemon/sendmail/exit.h"

namespace hikyaku::sendmail {

// Signals: a signal that ends the program removes the unfinished files, and the exit code is 75, nothing was
// stored. While it is unknown whether the mail was stored, signals are blocked.

// Installs handlers for INT, TERM, HUP (unless the caller ignores them), QUIT, ALRM, XCPU and similar
// signals; PIPE and XFSZ become errors of the call. Unblocks signals that the caller had blocked.
// std::terminate, for example when there is no memory to throw an exception, ends the program in the same
// way.
void watch_signals();

// Sets the exit code after a signal: `temporary` until the mail is stored, `ok` afterwards.
void set_exit_code_of_signals(Exit code);

// Registers a file to be removed after a signal; at most three. `directory` is an open descriptor.
void will_remove(int directory, const std::string& name);
void need_not_remove(const std::string& name);

// Blocks signals during its lifetime. May be nested.
class SignalBlock {
 public:
  SignalBlock();
  ~SignalBlock();
  SignalBlock(const SignalBlock&) = delete;
  SignalBlock& operator=(const SignalBlock&) = delete;
};

// Undoes what the caller of a set-gid program must not choose; call before anything else is done. Empties the
// environment; opens the descriptors 0 to 2 on /dev/null if they were closed, and closes all others; raises
// the soft limit of file sizes to the hard one; disables core dumps; sets the umask to 077.
void sanitize_process();

// Whether standard input was open when the program began. Valid after sanitize_process().
bool has_input();

// The privilege of sendmail(1) is the group hikyaku-submit, by the set-gid bit, for the drop directory and
// the sockets. It is dropped at the very start and regained only around the calls that need it.

// Call before anything else. Returns true if the program runs set-gid, or with any other id than its
// caller's.
bool drop_privilege();
// Whether there is a privilege to regain.
bool has_privilege();

class WithPrivilege {
 public:
  WithPrivilege();
  ~WithPrivilege();
  WithPrivilege(const WithPrivilege&) = delete;
  WithPrivilege& operator=(const WithPrivilege&) = delete;
};

// Regains the privilege for good, by system calls only, for a signal handler.
void regain_privilege_in_handler();

}  // namespace hikyaku::sendmail
