// SPDX-License-Identifier: MIT
// Who is at the other end of the control socket, by the kernel's word, and what they may. One rule: root, the
// daemon's own user and the members of one group see and do everything; anyone else sees and hurries the mail
// that they have submitted themselves.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/error.h"

namespace hikyaku::control {

// As they were when the socket was connected.
struct Caller {
  uid_t uid = 0;
  std::vector<gid_t> groups;  // all of them, the effective one first
};
// `fd` is a connected Unix socket. The text says what the system did not like.
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
