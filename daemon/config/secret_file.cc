// SPDX-License-Identifier: MIT
#include "daemon/config/secret_file.h"

#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::config {
namespace {

bool lies_under(const std::string& path, const std::string& directory) {
  return !directory.empty() && path.starts_with(cat(directory, "/")) &&
         path.find("/../") == std::string::npos;
}

}  // namespace

AuthinfoReader AuthinfoReader::this_process() {
  const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
  return {::geteuid(), ::getegid(), directory ? directory : ""};
}

std::string explain_access(const struct stat& status, const std::string& path, const AuthinfoReader& reader,
                           const SecretWords& words) {
  std::string mode = mode_text(status.st_mode);
  std::string repair = cat("; run: chmod 600 ", path);
  bool is_given_by_systemd = lies_under(path, reader.credentials_directory);
  bool may_group_read = is_given_by_systemd || status.st_gid == reader.gid;
  if (status.st_uid != 0 && status.st_uid != reader.uid)
    return cat("belongs to another user, who could put in ", words.another, "; run: chown root ", path);
  if ((status.st_mode & S_IRWXO) != 0)
    return cat("others may read or write ", words.secrets, " (mode ", mode, ")", repair);
  if ((status.st_mode & S_IWGRP) != 0) return cat("its group may write it (mode ", mode, ")", repair);
  if ((status.st_mode & S_IRGRP) != 0 && !may_group_read)
    return cat("its group, which is not the daemon's, may read ", words.secrets, " (mode ", mode, ")",
               repair);
  return {};
}

Result<Secret, FileError> read_secret_file(const std::string& path, const AuthinfoReader& reader,
                                           const SecretWords& words) {
  auto file = read_file(path);
  if (!file) return fail(file.error().kind, cat(words.file, " ", explain(file.error(), path)));
  Secret text(std::move(file->text));
  std::string wrong = explain_access(file->status, path, reader, words);
  if (!wrong.empty()) return fail(FileErrorKind::other, std::move(wrong));
  return text;
}

}  // namespace hikyaku::config
