// SPDX-License-Identifier: MIT
// Reads a file of secrets, or says why nobody should: it is refused if others may read or write it, if its group
// may write it, if a group that is not the daemon's own may read it (unless the file is in the credentials
// directory), if a third user owns it, or if it is not a regular file. Blocks.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <string>
#include <string_view>

#include "daemon/base/secret.h"
#include "daemon/config/read_file.h"

namespace hikyaku::config {

// The reader of the file, for whom its permissions are judged.
struct AuthinfoReader {
  uid_t uid = 0;                      // the daemon's user
  gid_t gid = 0;                      // and group: the only one that may read the file besides the owner
  std::string credentials_directory;  // $CREDENTIALS_DIRECTORY, or empty
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

}  // namespace hikyaku::config
