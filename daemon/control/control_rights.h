// SPDX-License-Identifier: MIT
// The user at the other end of the control socket, as the kernel reports it, and the user's rights. Root, the
// daemon's own user and the members of one group may see and do everything; any other user may see and retry
// the mail that the same user has submitted.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/error.h"

namespace hikyaku::control {

// At the time of connect(2).
struct Caller {
  uid_t uid = 0;
  std::vector<gid_t> groups;  // all of them, the effective one first
};
// `fd` is a connected Unix socket. The error is the system call that failed, and why.
Result<Caller, std::string> caller_of(int fd);

struct Rights {
  std::uint32_t uid = 0;
  bool is_operator = false;
  // `owner` is Envelope::uid.
  bool may_see(const std::optional<std::uint32_t>& owner) const {
    return is_operator || (owner && *owner == uid);
  }
};
// `daemon` is the daemon's own user, `group` whose members may do everything. Pure.
Rights rights_of(const Caller& caller, uid_t daemon, const std::optional<gid_t>& group);

}  // namespace hikyaku::control
