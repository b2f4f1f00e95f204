// SPDX-License-Identifier: MIT
// Reads a file of secrets, or says why nobody should: it is refused if others may read or write it, if its group
// may write it, if a group that is not the daemon's own may read it (unless the file is in the credentials
// directory), if a third user owns it, or if it is not a regular file. In a container that the daemon has for itself
// there are no others, and what is mounted read-only nobody can change: there any owner and mode will do. Blocks.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/secret.h"
#include "daemon/config/read_file.h"

namespace hikyaku::config {

bool lies_on_read_only_mount(const std::string& path);

// The reader of the file, for whom its permissions are judged.
struct AuthinfoReader {
  uid_t uid = 0;                      // the daemon's user
  gid_t gid = 0;                      // and group: the only one that may read the file besides the owner
  std::string credentials_directory;  // $CREDENTIALS_DIRECTORY, or empty
  bool is_alone = false;              // the first process here, as a container sees it, is a hikyakud
  bool takes_any_mode = false;        // the operator says that others may read it, and perhaps write it
  bool (*is_read_only)(const std::string& path) = lies_on_read_only_mount;
  static AuthinfoReader this_process();
};

// What the file is called when something is wrong with it.
struct SecretWords {
  std::string_view file;     // "the credentials file"
  std::string_view secrets;  // "the passwords in it"
  std::string_view another;  // what another owner could put in: "a password of theirs"
};

// What is wrong with who may read or write a file of this status, with the command that corrects it; empty if nothing is.
std::string explain_access(const struct stat& status, const std::string& path, const AuthinfoReader& reader,
                           const SecretWords& words);

// The error says what to change, with the command, and holds nothing of the file.
Result<Secret, FileError> read_secret_file(const std::string& path, const AuthinfoReader& reader,
                                           const SecretWords& words);

// What read_secret_file() accepts in spite of the file's mode or owner, and why, in a sentence to be said once; nullopt
// if there is nothing to say, or nothing to read.
std::optional<std::string> accepted_access(const std::string& path, const AuthinfoReader& reader,
                                           const SecretWords& words);

}  // namespace hikyaku::config
