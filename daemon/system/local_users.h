// SPDX-License-Identifier: MIT
// What the machine's user database says of a uid. Blocks, perhaps for long where it is somewhere else (LDAP).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace hikyaku::system {

struct LocalUser {
  std::string name;                 // empty: there is none with that uid
  std::vector<std::string> groups;  // of which it is a member, if that was asked for
};
enum class WithGroups : bool { no, yes };
using FindLocalUser = std::function<LocalUser(std::uint32_t uid, WithGroups groups)>;

// The uid and gid that the kernel shows where a process of another user namespace has none here. Whoever it
// is, it is neither us nor in a group of ours.
inline constexpr std::uint32_t kNameless = 65534;

LocalUser find_local_user(std::uint32_t uid, WithGroups groups);
// Nothing: there is no group of that name.
std::optional<gid_t> find_group(const std::string& name);
bool is_user_or_group(const std::string& name);

}  // namespace hikyaku::system
