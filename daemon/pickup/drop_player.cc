// SPDX-License-Identifier: MIT
#include "daemon/pickup/drop_player.h"

#include <algorithm>
#include <utility>

#include "daemon/base/error.h"
#include "daemon/base/text.h"
#include "daemon/io/work.h"
#include "daemon/mail/dsn.h"

namespace hikyaku::pickup {
namespace {

constexpr std::size_t kPiece = 64 * 1024;
constexpr std::size_t kReplyLine = 4096;
// The name does not matter: the kernel tells who the sender is.
constexpr const char* kGreeting = "EHLO drop";

std::optional<DropOutcome> broken(std::string why) { return DropBroken{std::move(why)}; }

// RFC 5321 has this code for recipients that another transaction may take; this drop has as many each time.
bool is_too_many_recipients(const mail::Reply& reply) {
  return reply.code == 452 && reply.status == mail::EnhancedStatus{4, 5, 3};
}

}  // namespace

Task<DropOutcome> DropPlayer::play() {
  Step ended = co_await greet();
  if (!ended) ended = co_await speak_envelope();
  if (!ended) ended = co_await speak_content();
  if (ended && std::holds_alternative<DropRefused>(*ended)) {
    Step unreadable = co_await see_the_end();
    if (unreadable) ended = std::move(unreadable);
  }
  co_return ended ? std::move(*ended) : DropOutcome(DropAccepted{});
}

Task<DropPlayer::Step> DropPlayer::greet() {
  Step ended = co_await hear();
  if (!ended) ended = co_await say(kGreeting);
  co_return ended;
}

Task<DropPlayer::Step> DropPlayer::speak_envelope() {
  for (;;) {
    std::string line;
    Step ended = co_await read_line(line);
    if (ended || is_at_content_) co_return ended;
    ended = co_await say(std::move(line));
    if (ended) co_return ended;
  }
}

// The last piece, or BDAT itself where there is no content, waits for the checksum.
Task<DropPlayer::Step> DropPlayer::speak_content() {
  std::string waiting = cat(commands_.back(), "\r\n");
  for (;;) {
    std::string piece;
    Step ended = co_await read_piece(piece);
    if (!ended && piece.empty()) break;
    if (!ended) ended = co_await send(std::exchange(waiting, std::move(piece)));
    if (ended) co_return ended;
  }
  if (!file_.is_whole()) co_return broken("its checksum is wrong");
  Step ended = co_await send(std::move(waiting));
  if (!ended) ended = co_await hear();
  co_return ended;
}

Task<DropPlayer::Step> DropPlayer::say(std::string line) {
  Step ended = co_await send(line += "\r\n");
  if (!ended) ended = co_await hear();
  co_return ended;
}

Task<DropPlayer::Step> DropPlayer::send(std::string bytes) {
  auto sent = co_await stream_.write(bytes, until_);
  if (!sent) co_return DropDeferred{sent.error().text};
  co_return std::nullopt;
}

Task<DropPlayer::Step> DropPlayer::hear() {
  mail::ReplyParser parser;
  for (;;) {
    auto line = co_await replies_.line(kReplyLine, until_);
    if (!line) co_return DropDeferred{line.error().text};
    const auto state = parser.feed(line->text);
    if (state == mail::ReplyParser::State::complete) co_return judge(parser.take());
    check(state == mail::ReplyParser::State::more, "our own session does not speak SMTP");
  }
}

DropPlayer::Step DropPlayer::judge(const mail::Reply& reply) const {
  if (reply.is_completed()) return std::nullopt;
  // MAIL and the refused recipient are among the commands. Fewer are due to a lack of memory, which is
  // temporary.
  bool has_too_many = is_too_many_recipients(reply) && commands_.size() >= most_ + 2;
  if (reply.is_permanent() || has_too_many) return DropRefused{reply};
  return DropDeferred{to_text(reply)};
}

Task<DropPlayer::Step> DropPlayer::read_line(std::string& line) {
  std::size_t end = std::string::npos;
  while ((end = read_ahead_.find("\r\n", used_)) == std::string::npos) {
    if (read_ahead_.size() - used_ > mail::DropCommands::kMaxLine)
      co_return broken("has a line that is too long");
    std::string piece;
    Step ended = co_await read_more(piece);
    if (ended) co_return ended;
    if (piece.empty()) co_return broken("ends inside its envelope");
    read_ahead_ = read_ahead_.substr(std::exchange(used_, 0)) + piece;
  }
  line = read_ahead_.substr(used_, end - used_);
  used_ = end + 2;
  co_return take_command(line);
}

DropPlayer::Step DropPlayer::take_command(const std::string& line) {
  auto part = order_.next(line);
  if (!part) return broken("has an invalid line in its envelope");
  commands_.push_back(line);
  is_at_content_ = *part == mail::DropCommands::Part::content;
  const bool fits = order_.content_length() == read_ahead_.size() - used_ + file_.left();
  if (is_at_content_ && !fits) return broken("its content does not have the stated length");
  return std::nullopt;
}

// The next piece of the content; empty at the end.
Task<DropPlayer::Step> DropPlayer::read_piece(std::string& piece) {
  Step ended;
  piece = read_ahead_.substr(used_);
  used_ = read_ahead_.size();
  if (piece.empty()) ended = co_await read_more(piece);
  const std::size_t room = mail::kMaxReturnedHeader - beginning_.size();
  beginning_ += piece.substr(0, room);
  co_return ended;
}

Task<DropPlayer::Step> DropPlayer::read_more(std::string& piece) {
  auto read = co_await io::run_on_pool(loop_, [this] { return file_.read(kPiece); });
  if (read) piece = std::move(*read);
  if (!read && read.error().kind == DropFault::broken) co_return broken(read.error().text);
  if (!read) co_return DropDeferred{read.error().text};
  co_return std::nullopt;
}

// A bounce reports all recipients, and only if the drop's checksum is right.
Task<DropPlayer::Step> DropPlayer::see_the_end() {
  std::string passed;
  while (!is_at_content_) {
    Step ended = co_await read_line(passed);
    if (ended) co_return ended;
  }
  do {
    Step ended = co_await read_piece(passed);
    if (ended) co_return ended;
  } while (!passed.empty());
  co_return file_.is_whole() ? std::nullopt : broken("its checksum is wrong");
}

}  // namespace hikyaku::pickup
