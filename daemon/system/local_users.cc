// SPDX-License-Identifier: MIT
#include "daemon/system/local_users.h"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace hikyaku::system {
namespace {

constexpr std::size_t kFirstText = 4 * 1024;
constexpr std::size_t kMostText = 1024 * 1024;  // a group of tens of thousands
constexpr int kMostGroups = 65536;

// `look` is one of the get…_r functions, bound to what is asked for.
template <class Entry, class Use>
bool look_up(const std::function<int(Entry*, char*, std::size_t, Entry**)>& look, const Use& use) {
  for (std::size_t size = kFirstText; size <= kMostText; size *= 4) {
    std::vector<char> text(size);
    Entry entry{};
    Entry* found = nullptr;
    const int error = look(&entry, text.data(), text.size(), &found);
    if (error == ERANGE) continue;
    if (found != nullptr) use(entry);
    return found != nullptr;
  }
  return false;
}

std::string group_name(gid_t gid) {
  std::string name;
  look_up<group>([gid](group* entry, char* text, std::size_t size,
                       group** found) { return ::getgrgid_r(gid, entry, text, size, found); },
                 [&name](const group& entry) { name = entry.gr_name; });
  return name;
}

std::vector<gid_t> groups_of(const char* name, gid_t own) {
  int count = 64;
  std::vector<gid_t> gids(static_cast<std::size_t>(count));
  while (::getgrouplist(name, own, gids.data(), &count) < 0 && count <= kMostGroups &&
         static_cast<std::size_t>(count) > gids.size())
    gids.resize(static_cast<std::size_t>(count));
  gids.resize(std::min(gids.size(), static_cast<std::size_t>(count)));
  return gids;
}

}  // namespace

LocalUser find_local_user(std::uint32_t uid, WithGroups groups) {
  LocalUser user;
  gid_t own = 0;
  look_up<passwd>([uid](passwd* entry, char* text, std::size_t size,
                        passwd** found) { return ::getpwuid_r(uid, entry, text, size, found); },
                  [&](const passwd& entry) {
                    user.name = entry.pw_name;
                    own = entry.pw_gid;
                  });
  if (user.name.empty() || groups == WithGroups::no) return user;
  for (const gid_t gid : groups_of(user.name.c_str(), own))
    if (std::string name = group_name(gid); !name.empty()) user.groups.push_back(std::move(name));
  return user;
}

std::optional<gid_t> find_group(const std::string& name) {
  std::optional<gid_t> gid;
  look_up<group>([&](group* entry, char* text, std::size_t size,
                     group** found) { return ::getgrnam_r(name.c_str(), entry, text, size, found); },
                 [&gid](const group& entry) { gid = entry.gr_gid; });
  return gid;
}

bool is_user_or_group(const std::string& name) {
  return look_up<passwd>([&](passwd* entry, char* text, std::size_t size,
                             passwd** found) { return ::getpwnam_r(name.c_str(), entry, text, size, found); },
                         [](const passwd&) {}) ||
         find_group(name).has_value();
}

}  // namespace hikyaku::system
