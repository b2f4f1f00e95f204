// SPDX-License-Identifier: MIT
// The one privilege of sendmail(1): the group hikyaku-submit, by the set-gid bit, for the drop directory. It
// is laid down at the very start and taken up only around the calls that need it. For the whole process, one
// thread.
#pragma once

#include <sys/types.h>

namespace hikyaku::sendmail {

// Before anything else. True if the program runs set-gid (or with another id than its caller's).
bool lay_down_privilege();
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
void take_up_privilege_in_handler();

}  // namespace hikyaku::sendmail
