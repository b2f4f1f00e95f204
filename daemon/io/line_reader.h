// SPDX-License-Identifier: MIT
// Lines and blocks out of a stream. It buffers: after bytes have been read through it, everything must be
// read through it, and what is_empty() denies came before whatever is written next (STARTTLS: such bytes end
// the session).
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "daemon/io/stream.h"

namespace hikyaku::io {

enum class LineEnd { crlf, lf };

struct Line {
  std::string text;  // without its line end; may hold any other byte, a lone CR and NUL included
  LineEnd end = LineEnd::crlf;
};

// The right to a block of more than 64 KiB, of which all readers of a loop together have a few.
class LargeBlock {
 public:
  LargeBlock() = default;
  LargeBlock(LargeBlock&& other) noexcept : is_held_(std::exchange(other.is_held_, false)) {}
  LargeBlock& operator=(LargeBlock&& other) noexcept {
    std::swap(is_held_, other.is_held_);
    return *this;
  }
  ~LargeBlock() { release(); }

  bool is_held() const { return is_held_; }
  bool hold();  // false: there is none left
  void release();

 private:
  bool is_held_ = false;
};

class LineReader {
 public:
  explicit LineReader(Stream& stream) : stream_(&stream) {}

  // A line ends with LF or CR LF. A line of more than `limit` bytes, its end included, fails with `too_long`
  // and is not consumed; what exceeds the buffer is not read. `until` bounds the whole line.
  Task<Result<Line, IoError>> line(std::size_t limit, Until until);
  // Up to the next line end, without keeping it; for getting past a line that is too long. `too_long` after
  // `limit`.
  Task<Result<void, IoError>> skip_line(std::size_t limit, Until until);
  // What is there, at least one byte; a view that holds until the next call. Follow with consume().
  Task<Result<std::string_view, IoError>> some(Until until);
  void consume(std::size_t bytes);

  std::string_view buffered() const { return std::string_view(buffer_).substr(begin_); }
  bool is_empty() const { return begin_ == buffer_.size(); }
  // From here on reads from another stream (TLS over the old one). The buffer must be empty.
  void switch_to(Stream& stream);

 private:
  Task<Result<void, IoError>> fill(std::size_t most, Until until);
  std::size_t next_block();
  void shrink();

  Stream* stream_;
  std::string buffer_;
  std::size_t begin_ = 0;
  // How much some() asks for: twice what came last, so that a thousand slow or idle peers do not hold a block
  // each.
  std::size_t block_ = 4096;
  LargeBlock large_;  // while the buffer may be longer than 64 KiB
};

}  // namespace hikyaku::io
