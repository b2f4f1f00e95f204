// SPDX-License-Identifier: MIT
// The message as it comes in on standard input, made canonical: every line ends with CR LF. Blocks; keeps
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

// The end of a message as people type it: a line of a single dot, if the caller has not said -i. Applied to
// the bytes as they come, LF or CR LF. Any cut of the same bytes gives the same. Pure.

class LoneDot {
 public:
  // Appends to `out` what belongs to the message. True once the line of a dot has come: nothing behind it is
  // looked at. A dot that may still turn out to be that line stays behind; at the end of input it is one.
  bool feed(std::string_view in, std::string& out);

 private:
  enum class State : std::uint8_t { line_start, dot, dot_cr, text, done };
  std::size_t finish_line(std::string_view in, std::string& out);
  void step(char c, std::string& out);

  State state_ = State::line_start;
};

class Input {
 public:
  // Reads from `fd`, which stays its owner's. `max_size` is of the canonical message, in bytes.
  Input(int fd, bool dot_ends_input, std::uint64_t max_size)
      : fd_(fd), dot_ends_input_(dot_ends_input), max_size_(max_size) {}

  // Appends the next piece, up to 128 KiB or so; false if there is none and never will be. Fails with
  // bad_data for a NUL byte or a message that is too big, no_input and io for what cannot be read.
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
  std::string kept_;  // without a line of a dot
};

// A small file, read with the caller's own rights.

// The first `limit` bytes. Fails, by errno, for what cannot be opened, and with EINVAL for what is no regular
// file; waits for nothing.
Result<std::string, int> read_regular_file(const std::string& path, std::size_t limit);

}  // namespace hikyaku::sendmail
