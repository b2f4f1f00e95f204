// SPDX-License-Identifier: MIT
#include "smtpd/channel.h"

#include <algorithm>
#include <array>
#include <utility>

namespace hikyaku::smtpd {
namespace {

constexpr std::size_t kMostUnsent = 4096;  // bounded, since a thousand clients may not read
constexpr Duration kClosesFirst = 50ms;    // most clients close by themselves after 221
constexpr Duration kIdle = 1s;             // after which a client needs no large block for what may come

}  // namespace

Channel::Channel(io::Loop& loop, io::StreamPtr stream, const SessionOptions& options, io::Cancel& hard)
    : loop_(loop), stream_(std::move(stream)), reader_(*stream_), options_(options), hard_(hard) {}

Client Channel::client() const {
  return {.address = stream_->peer(), .uid = stream_->peer_uid(), .account = {}, .helo = {}, .user = {}};
}

void Channel::say(const Reply& reply) {
  if (!is_deaf_) unsent_ += to_wire(reply);
}

// A peer that has closed gets no more replies, but what it sent before counts: reading goes on, and only
// reading ends the session.
Task<Result<void, IoError>> Channel::flush() {
  std::string bytes = std::exchange(unsent_, {});
  if (bytes.empty()) co_return Result<void, IoError>{};
  auto written = co_await stream_->write(bytes, loop_.within(options_.deadlines.write, &hard_));
  is_deaf_ = !written;
  if (!written && written.error().kind != IoErrorKind::reset) co_return std::unexpected(written.error());
  co_return Result<void, IoError>{};
}

Task<Result<void, IoError>> Channel::flush_unless(bool has_what_is_wanted) {
  if (has_what_is_wanted && unsent_.size() < kMostUnsent) co_return Result<void, IoError>{};
  auto flushed = co_await flush();
  co_return flushed;
}

Task<Result<io::Line, IoError>> Channel::line(std::size_t limit, io::Until until) {
  auto flushed = co_await flush_unless(reader_.buffered().find('\n') != std::string_view::npos);
  if (!flushed) co_return std::unexpected(flushed.error());
  auto line = co_await reader_.line(limit, until);
  co_return line;
}

Task<Result<void, IoError>> Channel::skip_line(std::size_t limit, io::Until until) {
  auto skipped = co_await reader_.skip_line(limit, until);
  co_return skipped;
}

Task<Result<std::string_view, IoError>> Channel::some(io::Until until) {
  auto flushed = co_await flush_unless(has_input());
  if (!flushed) co_return std::unexpected(flushed.error());
  auto bytes = co_await reader_.some({std::min(until.deadline, loop_.now() + kIdle), until.cancel});
  if (!bytes && bytes.error().kind == IoErrorKind::timeout) bytes = co_await reader_.some(until);
  co_return bytes;
}

Task<Result<void, IoError>> Channel::start_tls(io::TlsServer& server) {
  auto flushed = co_await flush();
  if (!flushed) co_return std::unexpected(flushed.error());
  auto secured =
      co_await server.accept(std::move(stream_), loop_.within(options_.deadlines.handshake, &hard_));
  if (!secured) co_return std::unexpected(secured.error());
  stream_ = std::move(*secured);
  reader_.switch_to(*stream_);
  co_return Result<void, IoError>{};
}

Task<void> Channel::farewell() {
  if (!stream_) co_return;
  auto flushed = co_await flush();
  if (!flushed || is_deaf_) co_return;
  io::Until until = loop_.within(options_.deadlines.farewell, &hard_);
  std::size_t left = options_.limits.farewell;
  auto ended = co_await drop_input(left, loop_.within(kClosesFirst, &hard_));
  if (ended.kind != IoErrorKind::timeout) co_return;
  auto finished = co_await stream_->shut_down(until);
  if (finished) ended = co_await drop_input(left, until);
}

// Reads `left` bytes at most, and counts them down; then the client is cut off.
Task<IoError> Channel::drop_input(std::size_t& left, io::Until until) {
  std::array<char, 4096> dropped;
  while (left > 0) {
    auto got = co_await stream_->read_some(dropped, until);
    if (!got) co_return got.error();
    left -= std::min(left, *got);
  }
  co_return IoError{IoErrorKind::too_long, "the client goes on after the end"};
}

}  // namespace hikyaku::smtpd
