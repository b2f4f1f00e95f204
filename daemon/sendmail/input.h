// SPDX-License-Identifier: MIT
// The message as it comes in on standard input, made canonical: every line ends with CR LF. Blocks; keeps
// nothing.
#pragma once

#include <cstdint>
#include <string>

#include "daemon/mail/data_decoder.h"
#include "daemon/sendmail/exit.h"
#include "daemon/sendmail/lone_dot.h"

namespace hikyaku::sendmail {

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

}  // namespace hikyaku::sendmail
