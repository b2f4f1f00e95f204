// SPDX-License-Identifier: MIT
#include "smtpc/exchange.h"

#include <algorithm>
#include <utility>

#include "daemon/base/error.h"
#include "daemon/base/secret.h"
#include "daemon/base/text.h"

namespace hikyaku::smtpc {
namespace {

constexpr Duration kLastWords = 5s;  // for what the peer said before writing to it failed
constexpr std::size_t kQuoted = 200;

}  // namespace

Exchange::Exchange(io::Loop& loop, io::StreamPtr stream, io::Cancel* cancel, SecretMask mask)
    : loop_(loop),
      stream_(std::move(stream)),
      reader_(*stream_),
      cancel_(cancel),
      masks_{std::move(mask)},
      transcript_(loop.clock()) {}

std::string Exchange::quote(std::string_view line) const {
  return cat("\"", printable(masked(line), kQuoted), "\"");
}

std::unexpected<ExchangeError> Exchange::break_off(std::string text) {
  ended_ = true;
  transcript_.note(text);
  return std::unexpected(ExchangeError{{}, std::move(text)});
}

std::unexpected<ExchangeError> Exchange::break_off(const IoError& error) {
  if (error.kind == IoErrorKind::too_long) return break_off("an endless reply");
  ended_ = true;
  const IoError& first = write_error_ ? *write_error_ : error;
  transcript_.note(masked(first.text));
  return std::unexpected(ExchangeError{first.kind, first.text});
}

Task<Result<mail::Reply, ExchangeError>> Exchange::ask(std::string_view command, Duration limit) {
  const std::string line = cat(command, "\r\n");
  auto sent = co_await say(line, limit);
  if (!sent) co_return std::unexpected(sent.error());
  auto answer = co_await reply(limit);
  co_return answer;
}

Task<Result<mail::Reply, ExchangeError>> Exchange::ask_for_login(std::string_view command, Duration limit) {
  Secret line(cat(command, "\r\n"));
  transcript_.say_login(command);
  auto sent = co_await send(line.reveal(), limit);
  if (!sent) co_return std::unexpected(sent.error());
  auto answer = co_await next_reply(limit);
  if (!answer) co_return answer;
  mail::Reply shown = masked(*answer);
  transcript_.hear(shown);
  if (answer->code != 334) answer = std::move(shown);
  co_return answer;
}

Task<Result<void, ExchangeError>> Exchange::say(std::string_view commands, Duration limit) {
  transcript_.say(commands);
  auto sent = co_await send(commands, limit);
  co_return sent;
}

Task<Result<void, ExchangeError>> Exchange::send(std::string_view bytes, Duration limit) {
  check(stream_ != nullptr, "nothing to write to");
  auto silent = co_await expect_silence();
  if (!silent) co_return std::unexpected(silent.error());
  if (write_error_ || early_) co_return Result<void, ExchangeError>{};
  auto written = co_await stream_->write(bytes, within(limit));
  if (!written) write_error_ = written.error();
  co_return Result<void, ExchangeError>{};
}

// A peer may send 421 at any time (RFC 5321 3.8); it then answers the command that would have been sent. Any
// other reply that comes before its command is out of step, and must never be taken for the answer.
Task<Result<void, ExchangeError>> Exchange::expect_silence() {
  bool talked = co_await has_unread();
  if (!talked || reader_.is_empty()) co_return Result<void, ExchangeError>{};
  std::string heard = quote(unread());
  auto unasked = co_await reply(kLastWords);
  if (!unasked || unasked->code != 421) co_return break_off(cat("an unexpected reply: ", heard));
  early_ = std::move(*unasked);
  co_return Result<void, ExchangeError>{};
}

Task<Result<mail::Reply, ExchangeError>> Exchange::reply(Duration limit) {
  auto reply = co_await next_reply(limit);
  if (!reply) co_return reply;
  reply = masked(std::move(*reply));
  transcript_.hear(*reply);
  co_return reply;
}

Task<Result<mail::Reply, ExchangeError>> Exchange::next_reply(Duration limit) {
  if (early_) co_return *std::exchange(early_, std::nullopt);
  auto reply = co_await read_reply(within(write_error_ ? std::min(limit, kLastWords) : limit));
  if (reply && reply->code == 421) ended_ = true;  // the peer hangs up, whatever the command
  co_return reply;
}

Task<Result<mail::Reply, ExchangeError>> Exchange::read_reply(io::Until until) {
  using State = mail::ReplyParser::State;
  mail::ReplyParser parser;
  for (State state = State::more; state != State::complete;) {
    auto line = co_await reader_.line(mail::kMaxReplyBytes, until);
    if (!line) co_return break_off(line.error());
    state = parser.feed(line->text);
    if (state == State::flood) co_return break_off("an endless reply");
    if (state == State::malformed) co_return break_off(cat("not a reply: ", quote(line->text)));
  }
  co_return parser.take();
}

Task<Result<void, IoError>> Exchange::wait_for_bytes(io::Until until) {
  auto bytes = co_await reader_.some(until);
  if (!bytes) co_return std::unexpected(bytes.error());
  co_return Result<void, IoError>{};
}

Task<bool> Exchange::has_unread() {
  auto bytes = co_await reader_.some({loop_.now(), cancel_});
  co_return bytes.has_value() || bytes.error().kind != IoErrorKind::timeout;
}

void Exchange::hide(const Secret& token) {
  mail::Credentials as_password;
  as_password.password = token;
  masks_.emplace_back(as_password);
}

std::string Exchange::masked(std::string_view text) const {
  std::string shown(text);
  for (const SecretMask& mask : masks_) shown = mask.masked(shown);
  return shown;
}

mail::Reply Exchange::masked(mail::Reply reply) const {
  for (const SecretMask& mask : masks_) reply = mask.masked(std::move(reply));
  return reply;
}

io::StreamPtr Exchange::take_stream() {
  check(reader_.is_empty(), "unread bytes at a change of streams");
  ended_ = true;  // until another stream is put in
  return std::move(stream_);
}

void Exchange::put_stream(io::StreamPtr stream) {
  stream_ = std::move(stream);
  reader_.switch_to(*stream_);
  ended_ = false;
}

}  // namespace hikyaku::smtpc
