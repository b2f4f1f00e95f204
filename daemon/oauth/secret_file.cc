// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "daemon/base/fd.h"
#include "daemon/base/text.h"
#include "daemon/oauth/local_secrets.h"

namespace hikyaku::oauth {
namespace {

constexpr std::size_t kLargestSecretFile = 64 * 1024;

std::unexpected<std::string> cannot_be(std::string_view what) {
  return std::unexpected(cat("cannot be ", what, ": ", os_error_text(errno)));
}

Result<Secret, std::string> read_it(const Fd& fd) {
  std::string text(kLargestSecretFile + 1, '\0');
  std::size_t length = 0;
  while (length < text.size()) {
    const ssize_t got = ::read(fd.get(), text.data() + length, text.size() - length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot_be("read");
    if (got == 0) break;
    length += static_cast<std::size_t>(got);
  }
  if (length > kLargestSecretFile) return std::unexpected("is larger than 64 KiB");
  while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r')) --length;
  text.resize(length);
  if (text.empty()) return std::unexpected("is empty");
  return Secret(std::move(text));
}

// O_NONBLOCK: a FIFO must not hold the thread.
Result<Secret, std::string> read_checked(const std::string& path, bool is_secret) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return cannot_be("opened");
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return cannot_be("read");
  if (!S_ISREG(status.st_mode)) return std::unexpected("is not a regular file");
  const char* credentials = std::getenv("CREDENTIALS_DIRECTORY");
  const bool is_credential = credentials != nullptr && path.starts_with(cat(credentials, "/"));
  const std::string objection =
      is_secret && !is_credential ? objection_to(status, ::geteuid(), ::getegid()) : "";
  if (!objection.empty()) return std::unexpected(objection);
  return read_it(fd);
}

}  // namespace

std::string objection_to(const struct stat& status, uid_t our_uid, gid_t our_gid) {
  if (status.st_uid != 0 && status.st_uid != our_uid)
    return "belongs to another user than root and the daemon's";
  if ((status.st_mode & 0007) != 0) return "may be read or written by everybody: chmod 0600 (or 0640) it";
  if ((status.st_mode & 0020) != 0) return "may be written by its group: chmod 0600 (or 0640) it";
  if ((status.st_mode & 0040) != 0 && status.st_gid != our_gid && status.st_gid != 0)
    return "may be read by a group that is not the daemon's own: chmod 0600 it, or chgrp it";
  return "";
}

Result<Secret, std::string> read_secret_file(const std::string& path) { return read_checked(path, true); }

Result<std::string, std::string> read_public_file(const std::string& path) {
  auto text = read_checked(path, false);
  if (!text) return std::unexpected(text.error());
  return std::string(text->reveal());
}

}  // namespace hikyaku::oauth
