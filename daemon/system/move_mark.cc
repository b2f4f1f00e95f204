// SPDX-License-Identifier: MIT
#include "daemon/system/move_mark.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

namespace hikyaku::system {

std::unexpected<std::string> MoveMark::failed() const {
  return std::unexpected(cat(path_in(directory_), ": ", os_error_text(errno)));
}

Result<MoveMark, std::string> MoveMark::open(const std::string& directory) {
  Fd file(::open(path_in(directory).c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  MoveMark mark(directory, std::move(file));
  if (!mark.file_) return mark.failed();
  auto ready = mark.flush_directory();
  if (ready) ready = mark.read();
  if (!ready) return std::unexpected(ready.error());
  return mark;
}

Result<void, std::string> MoveMark::read() {
  std::string text;
  char piece[4096];
  for (ssize_t got = 0; (got = ::read(file_.get(), piece, sizeof piece)) != 0;) {
    if (got < 0) return failed();
    text.append(piece, static_cast<std::size_t>(got));
  }
  const std::size_t whole = text.rfind('\n') == text.npos ? 0 : text.rfind('\n') + 1;
  if (whole < text.size() && ::ftruncate(file_.get(), static_cast<off_t>(whole)) != 0) return failed();
  for (std::size_t at = 0; at < whole; at = text.find('\n', at) + 1)
    lines_.push_back(text.substr(at, text.find('\n', at) - at));
  return {};
}

Result<void, std::string> MoveMark::add(std::string_view line) {
  const std::string bytes = cat(line, "\n");
  const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
  if (written != static_cast<ssize_t>(bytes.size()) || ::fdatasync(file_.get()) != 0) return failed();
  return {};
}

Result<void, std::string> MoveMark::remove() {
  if (::unlink(path_in(directory_).c_str()) != 0) return failed();
  return flush_directory();
}

Result<void, std::string> MoveMark::flush_directory() const {
  Fd directory(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.get()) != 0) return failed();
  return {};
}

}  // namespace hikyaku::system
