// SPDX-License-Identifier: MIT
#include "daemon/commands/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "daemon/base/text.h"
#include "daemon/log/mail_log.h"

namespace hikyaku::commands {
namespace {

constexpr std::size_t kPiece = 64U << 10;

}  // namespace

Output::Output(int fd) : fd_(fd) { std::signal(SIGPIPE, SIG_IGN); }

bool Output::print(std::string_view text) {
  if (error_ == 0) waiting_ += text;
  if (waiting_.size() >= kPiece) write_out();
  return error_ == 0;
}

void Output::write_out() {
  std::string_view left = waiting_;
  while (!left.empty() && error_ == 0) {
    ssize_t written = ::write(fd_, left.data(), left.size());
    if (written >= 0) left.remove_prefix(static_cast<std::size_t>(written));
    if (written < 0 && errno != EINTR) error_ = errno;
  }
  waiting_.clear();
}

Exit Output::finish(Exit result, std::string_view command) {
  write_out();
  if (error_ == 0) return result;
  if (error_ != EPIPE)
    std::fputs(cat(command, ": cannot write: ", os_error_text(error_), "\n").c_str(), stderr);
  return Exit::io;
}

std::optional<std::size_t> terminal_width() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return std::nullopt;
  return size.ws_col > 0 ? size.ws_col : 80;
}

bool may_use_bold() {
  const char* no_color = std::getenv("NO_COLOR");
  const bool is_unwanted = no_color != nullptr && *no_color != '\0';
  return !is_unwanted && ::isatty(STDOUT_FILENO) == 1;
}

Exit report(std::string_view command, const StartError& error) {
  for (std::string_view line : split(error.text, '\n'))
    std::fputs(cat(log::error_prefix(), command, ": ", line, "\n").c_str(), stderr);
  return error.kind;
}

void report_note(std::string_view command, const std::string& note) {
  if (!note.empty()) report(command, {Exit::configuration, note});
}

}  // namespace hikyaku::commands
