// SPDX-License-Identifier: MIT
// The directories of the daemon, created before it gives up root. No symbolic link is followed, and no path
// is resolved twice: the directory that is given to the user is the one that was checked. Blocks.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/exit.h"
#include "daemon/system/accounts.h"

namespace hikyaku::system {

// Creates the directory in an existing one. It belongs to `account`, or to the current user if there is
// none. An empty directory of root's, fresh from mkdir or a volume, is given to the account; one with files
// in it is not. Errors: cannot_create.
Result<void, StartError> prepare_spool_directory(const std::string& path,
                                                 const std::optional<Account>& account);

// Creates the directory, 0700, and the one that it is in, 0755. It belongs to `account` as the spool's does.
// Errors: cannot_create.
Result<void, StartError> prepare_oauth_directory(const std::string& path,
                                                 const std::optional<Account>& account);

// Creates the directory. A new one belongs to the daemon, and so does an empty one of root's that others
// cannot write to. Any other directory stays as it is. Errors: cannot_create.
Result<void, StartError> prepare_runtime_directory(const std::string& path,
                                                   const std::optional<Account>& account);

// The file system that a directory is on, where that does not keep what is in it: memory, or the layer of a container.
struct Forgetful {
  std::string_view file_system;
  std::string_view why;  // the end of a sentence
};
std::optional<Forgetful> forgetful_file_system(const std::string& directory);

// The daemon's own sockets have fixed names in `runtime_directory`.
inline std::string submit_socket_in(const std::string& runtime) { return runtime + "/submit.sock"; }
inline std::string control_socket_in(const std::string& runtime) { return runtime + "/control.sock"; }

inline constexpr const char* kDropGroup = "hikyaku-submit";  // sendmail(1) is set-gid to it

using FindGroup = std::function<std::optional<gid_t>(const std::string& name)>;

// Creates SPOOL/drop, unless the package's tmpfiles entry has done so: mode 1730, owned by `account`
// (default: the current user) and by group hikyaku-submit if it exists and we may assign it, otherwise by
// our own group. An existing directory stays as it is. Returns a note for the operator, if any: mail works
// without the directory.
std::optional<std::string> prepare_drop_directory(const std::string& spool,
                                                  const std::optional<Account>& account,
                                                  const FindGroup& find = find_group);

}  // namespace hikyaku::system
