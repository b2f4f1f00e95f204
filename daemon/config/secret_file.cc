// SPDX-License-Identifier: MIT
#include "daemon/config/secret_file.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::config {
namespace {

bool lies_under(const std::string& path, const std::string& directory) {
  return !directory.empty() && path.starts_with(cat(directory, "/")) &&
         path.find("/../") == std::string::npos;
}

bool is_closed_container(const std::string& path, const AuthinfoReader& reader) {
  return reader.is_alone && reader.is_read_only(path);
}

// As the kernel calls the first process of our namespace.
bool is_first_process_ours() {
  std::ifstream file("/proc/1/comm");
  std::string name;
  return std::getline(file, name) && name == "hikyakud";
}

}  // namespace

AuthinfoReader AuthinfoReader::this_process() {
  const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
  return {::geteuid(), ::getegid(), directory ? directory : "", is_first_process_ours()};
}

std::string explain_access(const struct stat& status, const std::string& path, const AuthinfoReader& reader,
                           const SecretWords& words) {
  std::string mode = mode_text(status.st_mode);
  std::string repair = cat("; run: chmod 600 ", path);
  bool is_given_by_systemd = lies_under(path, reader.credentials_directory);
  bool may_group_read = is_given_by_systemd || status.st_gid == reader.gid;
  if (status.st_uid != 0 && status.st_uid != reader.uid)
    return cat("belongs to another user, who could put in ", words.another, "; run: chown root ", path);
  if (reader.takes_any_mode) return {};
  if ((status.st_mode & S_IRWXO) != 0)
    return cat("others may read or write ", words.secrets, " (mode ", mode, ")", repair);
  if ((status.st_mode & S_IWGRP) != 0) return cat("its group may write it (mode ", mode, ")", repair);
  if ((status.st_mode & S_IRGRP) != 0 && !may_group_read)
    return cat("its group, which is not the daemon's, may read ", words.secrets, " (mode ", mode, ")",
               repair);
  return {};
}

bool lies_on_read_only_mount(const std::string& path) {
  struct statvfs mount{};
  return ::statvfs(path.c_str(), &mount) == 0 && (mount.f_flag & ST_RDONLY) != 0;
}

Result<Secret, FileError> read_secret_file(const std::string& path, const AuthinfoReader& reader,
                                           const SecretWords& words) {
  auto file = read_file(path);
  if (!file) return fail(file.error().kind, cat(words.file, " ", explain(file.error(), path)));
  Secret text(std::move(file->text));
  std::string wrong = explain_access(file->status, path, reader, words);
  if (!wrong.empty() && !is_closed_container(path, reader))
    return fail(FileErrorKind::other, std::move(wrong));
  return text;
}

std::optional<std::string> accepted_access(const std::string& path, const AuthinfoReader& reader,
                                           const SecretWords& words) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  AuthinfoReader strict = reader;
  strict.takes_any_mode = false;
  if (explain_access(status, path, strict, words).empty()) return std::nullopt;
  return cat(words.file, " ", path, " (mode ", mode_text(status.st_mode),
             ") is open to others, and accepted: ",
             is_closed_container(path, reader)
                 ? "it is on a read-only mount, and there is nobody else in this container"
                 : "`authinfo_mode: any` says so");
}

}  // namespace hikyaku::config
