// SPDX-License-Identifier: MIT
// The user at the other end of the control socket, as the kernel reports it, and the user's rights. Root, the
// daemon's own user and the members of one group, the operators, may see everything, and have it tried again. Root,
// that user and the members of its group may also hold, remove or return other people's mail; any other user may
// do so with the mail that the same user has submitted.
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

// For the log: "anna", or "uid 1000" of nobody in the files of this machine. Blocks.
std::string name_of_user(std::uint32_t uid);

struct Rights {
  std::uint32_t uid = 0;
  bool is_operator = false;
  bool may_change_all = false;
  // `owner` is Envelope::uid.
  bool may_see(const std::optional<std::uint32_t>& owner) const {
    return is_operator || (owner && *owner == uid);
  }
  bool may_change(const std::optional<std::uint32_t>& owner) const {
    return may_change_all || (owner && *owner == uid);
  }
};
// The daemon's own user and group, and the group whose members are operators.
struct Trusted {
  uid_t user = 0;
  gid_t group = 0;
  std::optional<gid_t> operators{};
};
Rights rights_of(const Caller& caller, const Trusted& trusted);  // pure

}  // namespace hikyaku::control
