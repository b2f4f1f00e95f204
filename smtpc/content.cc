// SPDX-License-Identifier: MIT
#include "smtpc/content.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/mail/dot_stuffing.h"

namespace hikyaku::smtpc {
namespace {

using mail::FailureKind;
using mail::Stage;

constexpr std::size_t kBlock = 64 * 1024;
constexpr std::size_t kScanned = 1024 * 1024;

class ContentSender {
 public:
  ContentSender(Session& session, mail::ContentReader& content, mail::DotStuffer stuffer,
                std::optional<Chunk> chunk)
      : session_(session), content_(content), stuffer_(stuffer), chunk_(std::move(chunk)) {
    block_.reserve(kBlock + kBlock / 2);
    if (chunk_) block_ = cat(chunk_->front, "BDAT ", std::to_string(chunk_->size), " LAST\r\n");
    transcript().say(block_);
  }

  Task<ContentResult> run(const MayLeave& may_leave, const Following& following) {
    auto streamed = co_await stream();
    if (!streamed) co_return std::move(result_);
    if (chunk_ && fed_ != chunk_->size)
      co_return give_up(FailureKind::other, "the queued mail's size differs from its record");
    bool may_go = true;
    if (may_leave) may_go = co_await may_leave();
    if (!may_go) co_return give_up(FailureKind::other, "the outcome of the previous mail is not on disk yet");
    if (!chunk_) stuffer_.finish(block_);
    const std::size_t end = block_.size();
    transcript().note(cat(std::to_string(fed_), " bytes of content"));
    if (!chunk_) transcript().say(".");
    if (following) block_ += co_await following();
    result_.had_company = block_.size() > end;
    auto quiet = co_await is_quiet();
    if (!quiet) co_return std::move(result_);
    // Last, behind all that could take time.
    if (!content_.may_be_sent())
      co_return give_up(FailureKind::other, "the mail has become another node's of the shared spool");
    auto ended = co_await say_the_end();
    co_return ended;
  }

 private:
  // False here and below: there is a result, and no more is sent. Leaves the last bytes in block_.
  Task<bool> stream() {
    for (;;) {
      auto piece = co_await content_.next();
      if (!piece) {
        session_.exchange.give_up();
        result_.failure = unreadable(session_, piece.error());
        co_return false;
      }
      if (piece->empty()) co_return true;
      if (goes_straight(*piece)) {
        auto sent = co_await send_straight(*piece);
        if (!sent) co_return false;
        continue;
      }
      for (std::size_t at = 0; at < piece->size(); at += kBlock / 2) {
        feed(piece->substr(at, kBlock / 2));
        if (block_.size() < kBlock || is_complete()) continue;
        auto sent = co_await flush();
        if (!sent) co_return false;
      }
    }
  }

  // A long piece that needs no stuffing leaves from where the spool has put it, not over block_. Never the
  // last of a chunk.
  bool goes_straight(std::string_view piece) {
    if (piece.size() <= kBlock / 2) return false;
    if (chunk_) return fed_ + piece.size() < chunk_->size;
    return stuffer_.passes_unchanged(piece);
  }

  Task<bool> send_straight(std::string_view piece) {
    fed_ += piece.size();
    bool sent = block_.empty();
    if (!sent) sent = co_await flush();
    if (sent) sent = co_await flush(piece);
    co_return sent;
  }

  void feed(std::string_view piece) {
    fed_ += piece.size();
    if (chunk_)
      block_ += piece;
    else
      stuffer_.feed(piece, block_);
  }

  // For the peer a chunk is complete with its last byte.
  bool is_complete() const { return chunk_ && fed_ >= chunk_->size; }

  Task<ContentResult> say_the_end() {
    const Duration limit = session_.context.smarthost.timeout.data;
    auto sent = co_await session_.exchange.send(block_, limit);
    if (!sent) co_return lost(sent.error());
    if (chunk_ && chunk_->hear_front) {
      co_await chunk_->hear_front();
      if (session_.exchange.has_ended()) co_return ContentResult{};
    }
    auto reply = co_await session_.exchange.reply(limit);
    if (!reply) co_return lost(reply.error());
    co_return ContentResult{std::move(*reply), {}, result_.had_company};
  }

  Task<bool> flush() {
    auto sent = co_await flush(block_);
    block_.clear();
    co_return sent;
  }

  Task<bool> flush(std::string_view bytes) {
    auto quiet = co_await is_quiet();
    if (!quiet) co_return false;
    auto sent = co_await session_.exchange.send(bytes, session_.context.smarthost.timeout.data);
    if (sent && !session_.exchange.has_write_failed()) co_return true;
    co_await hear_out();
    co_return false;
  }

  // If sending fails, the peer has replied too early, or hung up.
  Task<bool> is_quiet() {
    bool talked = co_await session_.exchange.has_unread();
    if (!talked) co_return true;
    co_await hear_out();
    co_return false;
  }

  Task<void> hear_out() {
    transcript().note(cat("after ", std::to_string(fed_), " bytes of content"));
    auto reply = co_await session_.exchange.reply(session_.context.smarthost.timeout.command);
    interrupted(std::move(reply));
  }

  // A refusal counts as the answer to the message; a 2yz before the message was sent never does.
  void interrupted(Result<mail::Reply, ExchangeError> reply) {
    session_.exchange.give_up();
    if (!reply)
      result_.failure = session_.failure(Stage::message, reply.error());
    else if (reply->is_transient() || reply->is_permanent())
      result_.reply = std::move(*reply);
    else
      result_ =
          give_up(FailureKind::protocol_error, "a reply before the end of the message: " + to_text(*reply));
  }

  ContentResult give_up(FailureKind kind, std::string why) {
    session_.exchange.give_up();
    transcript().note(why);
    mail::Failure failure = session_.failure(Stage::message, kind);
    failure.detail = std::move(why);
    return {{}, std::move(failure), result_.had_company};
  }

  ContentResult lost(const ExchangeError& error) {
    mail::Failure failure = session_.failure(Stage::message, error);
    if (error.io) failure.kind = FailureKind::reply_lost;
    return {{}, std::move(failure), result_.had_company};
  }

  Transcript& transcript() { return session_.exchange.transcript(); }

  Session& session_;
  mail::ContentReader& content_;
  mail::DotStuffer stuffer_;
  std::optional<Chunk> chunk_;  // nullopt: DATA
  std::uint64_t fed_ = 0;
  std::string block_;
  ContentResult result_;
};

bool is_eight_bit(char c) { return static_cast<unsigned char>(c) >= 0x80; }

}  // namespace

Task<ContentResult> send_content(Session& session, mail::ContentReader& content, bool has_no_dot_line,
                                 const MayLeave& may_leave, const Following& following) {
  ContentSender sender(session, content, mail::DotStuffer(has_no_dot_line), {});
  auto result = co_await sender.run(may_leave, following);
  co_return result;
}

Task<ContentResult> send_chunk(Session& session, mail::ContentReader& content, Chunk chunk,
                               const MayLeave& may_leave) {
  ContentSender sender(session, content, {}, std::move(chunk));
  auto result = co_await sender.run(may_leave, {});
  co_return result;
}

mail::Failure unreadable(const Session& session, const mail::SourceError& error) {
  bool damaged = error.kind == mail::SourceErrorKind::damaged;
  auto kind = damaged ? FailureKind::source_damaged : FailureKind::other;
  mail::Failure failure = session.failure(Stage::message, kind);
  failure.detail = error.text;
  return failure;
}

Task<Result<bool, mail::SourceError>> has_eight_bit(mail::ContentReader& content) {
  bool found = false;
  for (std::size_t scanned = 0; !found;) {
    auto piece = co_await content.next();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) break;
    scanned += piece->size();
    found = scanned > kScanned || std::ranges::any_of(*piece, is_eight_bit);
  }
  auto rewound = co_await content.rewind();
  if (!rewound) co_return std::unexpected(rewound.error());
  co_return found;
}

}  // namespace hikyaku::smtpc
