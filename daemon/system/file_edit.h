// SPDX-License-Identifier: MIT
// Changing a file that others rely on, such as authinfo: one editor at a time, the target of a symbolic link
// instead of the link, and at no time a file that is half written or that others may read. Blocks.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "daemon/base/error.h"
#include "daemon/base/fd.h"
#include "daemon/system/accounts.h"

namespace hikyaku::system {

struct FileAccess {
  mode_t mode = 0600;
  std::optional<gid_t> group = std::nullopt;  // nullopt: ours
};

// For a file of secrets that the daemon reads: 0640 and its group where root writes it, else 0600.
FileAccess access_for_secrets(const std::optional<Account>& daemon);

using FileEditError = Error<std::errc>;  // the text names the file

class FileEdit {
 public:
  // Follows symbolic links and waits for any other FileEdit of the same directory, in whatever process. There
  // must be no two in one thread. The file may be missing, its directory may not.
  static Result<FileEdit, FileEditError> begin(const std::string& path);

  const std::string& path() const { return path_; }  // of the file itself
  // The file has the old or the new content at any time, and the new one never another access than `access`
  // or 0600.
  Result<void, FileEditError> replace(std::string_view text, const FileAccess& access) const;

 private:
  FileEdit(std::string path, Fd directory) : path_(std::move(path)), directory_(std::move(directory)) {}

  std::string path_;
  Fd directory_;  // locked
};

}  // namespace hikyaku::system
