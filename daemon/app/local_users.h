// SPDX-License-Identifier: MIT
// What the machine's user database says of a uid. Blocks, perhaps for long where it is somewhere else (LDAP).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace hikyaku::app {

struct LocalUser {
  std::string name;                 // empty: there is none with that uid
  std::vector<std::string> groups;  // of which it is a member, if that was asked for
};
enum class WithGroups : bool { no, yes };
using FindLocalUser = std::function<LocalUser(std::uint32_t uid, WithGroups groups)>;

LocalUser find_local_user(std::uint32_t uid, WithGroups groups);
bool is_user_or_group(const std::string& name);

}  // namespace hikyaku::app
