// SPDX-License-Identifier: MIT
#include "daemon/sendmail/input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "daemon/base/bytes.h"
#include "daemon/base/fd.h"
#include "daemon/base/text.h"

namespace hikyaku::sendmail {
namespace {

constexpr std::size_t kInputPiece = 64 * 1024;

std::unexpected<Failure> unreadable(int error_number) {
  bool from_the_start = error_number == EISDIR || error_number == EBADF;
  return fail(from_the_start ? Exit::no_input : Exit::io,
              cat("standard input cannot be read: ", os_error_text(error_number), "; nothing was sent"));
}

}  // namespace

Result<bool, Failure> Input::read(std::string& out) {
  // Not on the stack, which the caller may have limited.
  std::string bytes(kInputPiece, '\0');
  while (!ended_) {
    ssize_t got = ::read(fd_, bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(errno);
    std::size_t before = out.size();
    if (auto taken = take(std::string_view(bytes).substr(0, static_cast<std::size_t>(got)), out); !taken)
      return std::unexpected(taken.error());
    if (out.size() != before) return true;
  }
  return false;
}

// An empty piece means the end.
Result<void, Failure> Input::take(std::string_view bytes, std::string& out) {
  std::size_t before = out.size();
  kept_.clear();
  ended_ = bytes.empty() || (dot_ends_input_ && dot_.feed(bytes, kept_));
  canonicaliser_.feed(dot_ends_input_ ? kept_ : bytes, out);
  if (ended_) canonicaliser_.finish(out);
  return check(out.size() - before);
}

Result<void, Failure> Input::check(std::size_t grown_by) {
  size_ += grown_by;
  if (canonicaliser_.has_nul())
    return fail(Exit::damaged,
                "the message contains a NUL byte: attach the data as a file, or encode it; nothing was sent");
  if (size_ > max_size_)
    return fail(Exit::damaged, cat("the message is larger than ", std::to_string(max_size_),
                                   " bytes (`max_size` in hikyaku.yaml); nothing was sent"));
  return {};
}

bool LoneDot::feed(std::string_view in, std::string& out) {
  while (!in.empty() && state_ != State::done) {
    if (state_ == State::text) {
      in.remove_prefix(finish_line(in, out));
    } else {
      step(in.front(), out);
      in.remove_prefix(1);
    }
  }
  return state_ == State::done;
}

std::size_t LoneDot::finish_line(std::string_view in, std::string& out) {
  std::size_t end = in.find('\n');
  std::size_t length = end == in.npos ? in.size() : end + 1;
  out.append(in.substr(0, length));
  if (end != in.npos) state_ = State::line_start;
  return length;
}

void LoneDot::step(char c, std::string& out) {
  if (state_ == State::line_start && c == '.') {
    state_ = State::dot;
  } else if (state_ == State::dot && c == '\r') {
    state_ = State::dot_cr;
  } else if (state_ != State::line_start && c == '\n') {
    state_ = State::done;
  } else {
    if (state_ != State::line_start) out += state_ == State::dot ? "." : ".\r";
    out += c;
    state_ = c == '\n' ? State::line_start : State::text;
  }
}

Result<std::string, int> read_regular_file(const std::string& path, std::size_t limit) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  struct stat found{};
  if (!fd || ::fstat(fd.get(), &found) != 0) return std::unexpected(errno);
  if (!S_ISREG(found.st_mode)) return std::unexpected(EINVAL);
  std::string text(std::min(limit, static_cast<std::size_t>(found.st_size)), '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    ssize_t got = ::read(fd.get(), text.data() + filled, text.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(errno);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  text.resize(filled);
  return text;
}

}  // namespace hikyaku::sendmail
