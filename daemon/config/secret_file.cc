// SPDX-License-Identifier: MIT
#include "daemon/config/secret_file.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::config {
namespace {

bool lies_under(const std::string& path, const std::string& directory) {
  return !directory.empty() && path.starts_with(cat(directory, "/")) &&
         path.find("/../") == std::string::npos;
}

std::string mode_text(mode_t mode) {
  std::string digits{'0'};
  for (int shift : {6, 3, 0}) digits += static_cast<char>('0' + ((mode >> shift) & 7));
  return digits;
}

// Returns what is wrong and the command that corrects it, or an empty string.
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

// The command by which root lets us, and nobody else, read the file. A group with the user's name has no
// other members.
std::string grant_to_us(const std::string& path) {
  std::array<char, 16 * 1024> text{};
  passwd us{};
  group ours{};
  passwd* found_us = nullptr;
  group* found_ours = nullptr;
  ::getpwuid_r(::geteuid(), &us, text.data(), text.size() / 2, &found_us);
  ::getgrgid_r(::getegid(), &ours, text.data() + text.size() / 2, text.size() / 2, &found_ours);
  std::string user = found_us != nullptr ? us.pw_name : std::to_string(::geteuid());
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return cat("; a directory above it is closed to the user ", user);
  if (found_ours != nullptr && user == ours.gr_name)
    return cat(" (for the user ", user, "); run: chown root:", user, " ", path, " && chmod 640 ", path);
  return cat(" (for the user ", user, "); run: chown ", user, " ", path, " && chmod 600 ", path);
}

}  // namespace

AuthinfoReader AuthinfoReader::this_process() {
  const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
  return {::geteuid(), ::getegid(), directory ? directory : ""};
}

Result<Secret, FileError> read_secret_file(const std::string& path, const AuthinfoReader& reader,
                                           const SecretWords& words) {
  auto file = read_file(path);
  const bool is_denied = !file && file.error().kind == FileErrorKind::denied;
  if (!file)
    return fail(file.error().kind,
                cat(words.file, " ", file.error().text, is_denied ? grant_to_us(path) : ""));
  Secret text(std::move(file->text));
  std::string wrong = explain_access(file->status, path, reader, words);
  if (!wrong.empty()) return fail(FileErrorKind::other, std::move(wrong));
  return text;
}

}  // namespace hikyaku::config
