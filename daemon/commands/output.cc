// SPDX-License-Identifier: MIT
#include "daemon/commands/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "daemon/base/columns.h"
#include "daemon/base/text.h"
#include "daemon/log/mail_log.h"

namespace hikyaku::commands {
namespace {

constexpr std::size_t kPiece = 64U << 10;

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

Output::Output(int fd) : fd_(fd), width_(terminal_width(fd)) { std::signal(SIGPIPE, SIG_IGN); }

bool Output::print(std::string_view text) {
  if (error_ == 0) waiting_ += text;
  if (waiting_.size() >= kPiece) write_out();
  return error_ == 0;
}

bool Output::print_lines(std::string_view lines, std::optional<std::size_t> hang) {
  return print(width_ ? folded(lines, *width_, hang) : lines);
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

Exit print_all(std::string_view command, std::string_view text, Reader reader, Exit exit) {
  Output output(STDOUT_FILENO);
  reader == Reader::people ? output.print_lines(text) : output.print(text);
  return output.finish(exit, command);
}

std::optional<std::size_t> terminal_width(int fd) {
  constexpr std::size_t kLeast = 20, kUsual = 80;
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0) return std::nullopt;
  if (auto wanted = parse_number(environment("COLUMNS")); wanted && *wanted > 0)
    return std::max<std::size_t>(*wanted, kLeast);
  return size.ws_col > 0 ? std::max<std::size_t>(size.ws_col, kLeast) : kUsual;
}

bool may_use_bold() { return environment("NO_COLOR").empty() && may_rewrite_lines(STDOUT_FILENO); }

bool may_rewrite_lines(int fd) { return ::isatty(fd) == 1 && environment("TERM") != "dumb"; }

Exit report(std::string_view command, const StartError& error) {
  const auto width = terminal_width(STDERR_FILENO);
  for (std::string_view line : split(error.text, '\n')) {
    const std::string text = cat(log::error_prefix(), command, ": ", line, "\n");
    std::fputs((width ? folded(text, *width) : text).c_str(), stderr);
  }
  return error.kind;
}

void report_note(std::string_view command, const std::string& note) {
  if (!note.empty()) report(command, {Exit::configuration, note});
}

}  // namespace hikyaku::commands
