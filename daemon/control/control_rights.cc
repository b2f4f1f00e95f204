// SPDX-License-Identifier: MIT
#include "daemon/control/control_rights.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "daemon/base/text.h"
#include "daemon/system/accounts.h"

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

namespace hikyaku::control {
namespace {

std::unexpected<std::string> failed(std::string_view what) {
  return std::unexpected(cat(what, ": ", os_error_text(errno)));
}

}  // namespace

Result<Caller, std::string> caller_of(int fd) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return failed("SO_PEERCRED");
  Caller caller{peer.uid, std::vector<gid_t>(32)};
  length = static_cast<socklen_t>(caller.groups.size() * sizeof(gid_t));
  int got = ::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, caller.groups.data(), &length);
  if (got != 0 && errno == ERANGE) {
    caller.groups.resize(length / sizeof(gid_t));
    got = ::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, caller.groups.data(), &length);
  }
  if (got != 0) return failed("SO_PEERGROUPS");
  caller.groups.resize(length / sizeof(gid_t));
  caller.groups.insert(caller.groups.begin(), peer.gid);
  return caller;
}

std::string name_of_user(std::uint32_t uid) {
  std::string name = system::find_local_user(uid, system::WithGroups::no).name;
  return name.empty() ? cat("uid ", std::to_string(uid)) : name;
}

Rights rights_of(const Caller& caller, const Trusted& trusted) {
  auto is_member = [&](gid_t group) {
    return group != system::kNameless && std::ranges::find(caller.groups, group) != caller.groups.end();
  };
  const bool is_us = caller.uid == 0 || (caller.uid == trusted.user && caller.uid != system::kNameless);
  const bool may_change_all = is_us || is_member(trusted.group);
  const bool is_operator = may_change_all || (trusted.operators && is_member(*trusted.operators));
  return {caller.uid, is_operator, may_change_all};
}

}  // namespace hikyaku::control
