// SPDX-License-Identifier: MIT
#include "daemon/listing/drop_count.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <memory>

#include "daemon/base/text.h"
#include "daemon/mail/drop_format.h"

namespace hikyaku::listing {
namespace {

constexpr std::size_t kMostCounted = 100'000;

std::string drop_directory(const std::string& spool) { return cat(spool, "/drop"); }

bool is_owned_by(int directory, const char* name, std::uint32_t owner) {
  struct stat status{};
  return ::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && status.st_uid == owner;
}

}  // namespace

std::optional<std::size_t> count_drops(const std::string& spool, std::optional<std::uint32_t> owner) {
  std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(drop_directory(spool).c_str()), ::closedir);
  if (!entries) return std::nullopt;
  std::size_t count = 0;
  while (const dirent* entry = ::readdir(entries.get())) {
    if (!mail::is_drop_name(entry->d_name)) continue;
    if (owner && !is_owned_by(::dirfd(entries.get()), entry->d_name, *owner)) continue;
    if (++count == kMostCounted) break;
  }
  return count;
}

std::string drops_text(const std::string& spool, std::optional<std::uint32_t> owner) {
  std::size_t count = count_drops(spool, owner).value_or(0);
  if (count == 0) return "";
  return cat(std::to_string(count), count == kMostCounted ? " or more" : "", count == 1 ? " mail" : " mails",
             owner ? " of yours" : "", count == 1 ? " waits in " : " wait in ", drop_directory(spool),
             " to be fetched by hikyakud");
}

}  // namespace hikyaku::listing
