// SPDX-License-Identifier: MIT
// The control socket as a file: for root, the daemon's own user and one group, which is sendmail's where the
// machine has it and the daemon is a member. Blocks.
#pragma once

#include <string>

#include "daemon/app/exit.h"
#include "daemon/base/fd.h"

namespace hikyaku::app {

struct ControlSocket {
  Fd listening;
  std::string note;  // what the operator should know of it, or empty
};
// Replaces what a daemon before has left there. `group` is the name of the group to which it is given.
// Errors: cannot_create.
Result<ControlSocket, StartError> open_control_socket(const std::string& path, const std::string& group);

}  // namespace hikyaku::app
