// SPDX-License-Identifier: MIT
// The control socket as a file: for root, the daemon's own user, and two groups: sendmail's, and that of the
// operators. Nobody else gets as far as asking. Blocks.
#pragma once

#include <string>
#include <vector>

#include "daemon/base/exit.h"
#include "daemon/base/fd.h"

namespace hikyaku::control {

// By name. One that the machine does not have is left out.
struct ControlGroups {
  std::string sendmail;
  std::string operators;  // control.group
};

struct SharedSocket {
  Fd listening;
  std::vector<std::string> notes;  // what the operator should know of it
};
// Replaces what a daemon before has left there. Errors: cannot_create.
Result<SharedSocket, StartError> open_control_socket(const std::string& path, const ControlGroups& groups);

// Lets these groups in, and no other; what the operator should know of it.
std::vector<std::string> share_control_socket(const std::string& path, const ControlGroups& groups);

}  // namespace hikyaku::control
