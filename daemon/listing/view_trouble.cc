// SPDX-License-Identifier: MIT
#include "daemon/listing/view_trouble.h"

#include <sys/stat.h>

#include "daemon/base/text.h"
#include "daemon/system/local_users.h"

namespace hikyaku::listing {
namespace {

using spool::ViewErrorKind;

std::string owner_of(const std::string& directory) {
  struct stat status;
  if (::stat(directory.c_str(), &status) != 0) return "the daemon's user";
  std::string name = system::find_local_user(status.st_uid, system::WithGroups::no).name;
  return name.empty() ? cat("user ", std::to_string(status.st_uid)) : name;
}

std::string who_may_read(const std::string& directory) {
  std::string owner = owner_of(directory);
  return cat(directory, " may be read only by root",
             owner == "root" ? std::string() : cat(" and by its owner, ", owner));
}

}  // namespace

StartError explain(const spool::ViewError& error, const std::string& directory) {
  switch (error.kind) {
    case ViewErrorKind::missing:
      return {Exit::no_input, cat("there is no spool in ", directory, " (", error.text, ")")};
    case ViewErrorKind::not_permitted: return {Exit::no_permission, who_may_read(directory)};
    case ViewErrorKind::always_changing: return {Exit::try_again, error.text};
    case ViewErrorKind::read_failed:
    case ViewErrorKind::later_format: break;
  }
  return {Exit::io, cat("cannot read the spool in ", directory, ": ", error.text)};
}

}  // namespace hikyaku::listing
