// SPDX-License-Identifier: MIT
// Reads the message from standard input and makes it canonical: every line ends with CR LF. Blocks; keeps
// nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/base/error.h"
#include "daemon/mail/dot_stuffing.h"
#include "daemon/sendmail/exit.h"

namespace hikyaku::sendmail {

// Finds the line of a single dot that ends a message unless -i was given. Works on the raw bytes, with LF or
// CR LF, and gives the same result however the bytes are split. Pure.

class LoneDot {
 public:
  // Appends the message's bytes to `out`. Returns true once the line of a single dot was found; the bytes
  // after it are ignored. A trailing dot that may still be that line is held back; at the end of input it
  // counts as one.
  bool feed(std::string_view in, std::string& out);

 private:
  enum class State : std::uint8_t { line_start, dot, dot_cr, text, done };
  std::size_t finish_line(std::string_view in, std::string& out);
  void step(char c, std::string& out);

  State state_ = State::line_start;
};

class Input {
 public:
  // Does not own `fd`. `max_size`: bytes of the canonical message.
  Input(int fd, bool dot_ends_input, std::uint64_t max_size)
      : fd_(fd), dot_ends_input_(dot_ends_input), max_size_(max_size) {}

  // Appends the next piece, up to about 128 KiB; returns false at the end of the message. Fails with bad_data
  // for a NUL byte or a message that is too large, with no_input or io if reading fails.
  Result<bool, Failure> read(std::string& out);

 private:
  Result<void, Failure> take(std::string_view bytes, std::string& out);
  Result<void, Failure> check(std::size_t grown_by);

  int fd_;
  bool dot_ends_input_;
  std::uint64_t max_size_;
  std::uint64_t size_ = 0;
  bool ended_ = false;
  LoneDot dot_;
  mail::Canonicaliser canonicaliser_;
  std::string kept_;  // the bytes before a line of a single dot
};

// Reads the first `limit` bytes of a file with the caller's own rights. Fails with the errno if the file
// cannot be read, with EINVAL if it is not a regular file. Never waits, for a FIFO's writer for example.
Result<std::string, int> read_regular_file(const std::string& path, std::size_t limit);

}  // namespace hikyaku::sendmail
