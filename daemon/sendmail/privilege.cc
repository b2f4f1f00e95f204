// SPDX-License-Identifier: MIT
#include "daemon/sendmail/privilege.h"

#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/base/error.h"

namespace hikyaku::sendmail {
namespace {

gid_t own_group = 0;    // the caller's
gid_t drop_group = 0;   // the file's; the caller's without the set-gid bit
bool elevated = false;  // as the kernel saw it

void become(gid_t group) { check(::setegid(group) == 0, "setegid"); }

}  // namespace

bool lay_down_privilege() {
  own_group = ::getgid();
  drop_group = ::getegid();
  elevated = ::getauxval(AT_SECURE) != 0 || own_group != drop_group || ::getuid() != ::geteuid();
  // The uid is never anybody else's: a set-uid bit that somebody put there by mistake is of no use.
  check(::setresuid(::getuid(), ::getuid(), ::getuid()) == 0, "setresuid");
  become(own_group);
  return elevated;
}

bool has_privilege() { return own_group != drop_group; }

WithPrivilege::WithPrivilege() {
  if (has_privilege()) become(drop_group);
}

WithPrivilege::~WithPrivilege() {
  if (has_privilege()) become(own_group);
}

void take_up_privilege_in_handler() { ::syscall(SYS_setresgid, -1, drop_group, -1); }

}  // namespace hikyaku::sendmail
