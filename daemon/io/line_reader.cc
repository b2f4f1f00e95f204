// SPDX-License-Identifier: MIT
#include "daemon/io/line_reader.h"

#include <algorithm>
#include <utility>

#include "daemon/base/error.h"

namespace hikyaku::io {
namespace {

constexpr std::size_t kLineChunk = 4096;
constexpr std::size_t kBlockChunk = 64U << 10;
constexpr std::size_t kLargeBlock = 512U
                                    << 10;  // fewer reads, each of which makes the kernel wake the sender
constexpr std::size_t kMostLarge = 8;

thread_local std::size_t large_blocks = 0;  // of all readers of this loop

}  // namespace

bool LargeBlock::hold() {
  if (!is_held_ && large_blocks < kMostLarge) {
    ++large_blocks;
    is_held_ = true;
  }
  return is_held_;
}

void LargeBlock::release() {
  if (std::exchange(is_held_, false)) --large_blocks;
}

Task<Result<void, IoError>> LineReader::fill(std::size_t most, Until until) {
  if (large_.is_held() && is_empty() && buffer_.capacity() > 2 * most) shrink();
  if (begin_ > 0) buffer_.erase(0, std::exchange(begin_, 0));
  std::size_t held = buffer_.size();
  buffer_.resize_and_overwrite(held + most, [](char*, std::size_t size) { return size; });  // without zeros
  auto got = co_await stream_->read_some({buffer_.data() + held, most}, until);
  buffer_.resize(held + (got ? *got : 0));
  if (!got) co_return std::unexpected(got.error());
  co_return Result<void, IoError>{};
}

Task<Result<Line, IoError>> LineReader::line(std::size_t limit, Until until) {
  std::size_t searched = 0;
  for (;;) {
    std::string_view held = buffered();
    std::size_t end = held.find('\n', searched);
    if (end == held.npos ? held.size() >= limit : end >= limit)
      co_return fail(IoErrorKind::too_long, "line too long");
    if (end != held.npos) {
      bool crlf = end > 0 && held[end - 1] == '\r';
      Line line{std::string(held.substr(0, crlf ? end - 1 : end)), crlf ? LineEnd::crlf : LineEnd::lf};
      consume(end + 1);
      co_return line;
    }
    searched = held.size();
    auto filled = co_await fill(kLineChunk, until);
    if (!filled) co_return std::unexpected(filled.error());
  }
}

Task<Result<void, IoError>> LineReader::skip_line(std::size_t limit, Until until) {
  for (std::size_t skipped = 0; skipped <= limit;) {
    std::string_view held = buffered();
    std::size_t end = held.find('\n');
    if (end != held.npos) {
      consume(end + 1);
      co_return Result<void, IoError>{};
    }
    skipped += held.size();
    consume(held.size());
    auto filled = co_await fill(kLineChunk, until);
    if (!filled) co_return std::unexpected(filled.error());
  }
  co_return fail(IoErrorKind::too_long, "line too long");
}

Task<Result<std::string_view, IoError>> LineReader::some(Until until) {
  if (is_empty()) {
    auto filled = co_await fill(next_block(), until);
    if (!filled) shrink();
    if (!filled) co_return std::unexpected(filled.error());
    block_ = std::clamp(2 * buffered().size(), kLineChunk, kLargeBlock);
  }
  co_return buffered();
}

void LineReader::consume(std::size_t bytes) {
  check(bytes <= buffer_.size() - begin_, "consumed more than there is");
  begin_ += bytes;
  if (!is_empty()) return;
  begin_ = 0;
  buffer_.clear();
  if (!large_.is_held() && buffer_.capacity() > 2 * kLineChunk)
    shrink();  // a session that is idle holds no block
}

std::size_t LineReader::next_block() {
  const std::size_t wanted = std::exchange(block_, kLineChunk);
  return wanted <= kBlockChunk || large_.hold() ? wanted : kBlockChunk;
}

// The buffer is empty, or no longer needed.
void LineReader::shrink() {
  buffer_ = std::string();
  begin_ = 0;
  large_.release();
}

void LineReader::switch_to(Stream& stream) {
  check(is_empty(), "bytes of the old stream are left");
  stream_ = &stream;
}

}  // namespace hikyaku::io
