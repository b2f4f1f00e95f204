// SPDX-License-Identifier: MIT
// The chaotic session's other half: messages, by DATA and by BDAT.
#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "tests/support/chaos/session.h"

namespace hikyaku::test {
namespace {

constexpr std::size_t kLongest = 1024 * 1024;

}  // namespace

Task<bool> ChaosSession::data() {
  auto more = co_await has_more_input();
  if (more) host_.ledger_.complain("spoke on behind DATA, before the reply to it");
  Reaction reaction = react(Moment::data);
  auto said = co_await answer(Moment::data, reaction, "354 Go on\r\n");
  if (!said || reaction.answer != Answer::yes) co_return said;
  auto goes_on = co_await read_content();
  co_return goes_on;
}

Task<bool> ChaosSession::read_content() {
  auto flushed = co_await voice_.flush();
  if (!flushed) co_return false;
  std::uint64_t interrupted_at = dice_.below(40);
  for (std::uint64_t number = 0;; ++number) {
    if (number == interrupted_at) {
      auto goes_on = co_await interrupt();
      if (!goes_on) co_return false;
    }
    auto line = co_await reader_.line(kLongest, host_.loop_.within(patience_));
    if (!line) co_return false;
    if (line->end != io::LineEnd::crlf) host_.ledger_.complain("a bare LF in a message");
    if (line->text == ".") break;
    now_.content += cat(line->text.starts_with('.') ? line->text.substr(1) : line->text, "\r\n");
  }
  auto goes_on = co_await end_message();
  co_return goes_on;
}

// Amid the lines: it goes, it speaks before its turn and goes, or it stops reading for a while.
Task<bool> ChaosSession::interrupt() {
  Reaction reaction = react(Moment::content);
  if (reaction.manner == Manner::silent) co_return false;
  if (reaction.answer != Answer::yes) {
    co_await answer(Moment::content, reaction, "");
    co_return false;
  }
  if (reaction.manner == Manner::late) co_await voice_.rest_long();
  co_return true;
}

// After a refused chunk there is no transaction, and the rest is read and refused (RFC 3030 2).
Task<bool> ChaosSession::bdat(const std::string& line) {
  if (!offer_.chunking) host_.ledger_.complain("BDAT where it was not offered");
  auto words = split(line, ' ');
  auto read = co_await read_chunk(static_cast<std::size_t>(parse_number(words[1]).value_or(0)));
  if (!read) co_return false;
  bool is_in_order = now_.is_open && !now_.recipients.empty();
  bool goes_on = false;
  if (!is_in_order)
    goes_on = co_await voice_.say(Manner::whole, now_.is_open ? kNobody : "503 5.5.1 MAIL first\r\n");
  else if (words.size() == 3 && words[2] == "LAST")
    goes_on = co_await end_message();
  else
    goes_on = co_await take_chunk();
  if (!is_in_order) now_ = {};
  co_return goes_on;
}

Task<bool> ChaosSession::take_chunk() {
  Reaction reaction = react(Moment::data);
  auto said = co_await answer(Moment::data, reaction, "250 2.0.0 Ok\r\n");
  if (reaction.answer != Answer::yes) now_ = {};
  co_return said;
}

Task<bool> ChaosSession::read_chunk(std::size_t size) {
  while (size > 0) {
    auto bytes = co_await reader_.some(host_.loop_.within(patience_));
    if (!bytes) co_return false;
    std::size_t taken = std::min(size, bytes->size());
    now_.content.append(bytes->substr(0, taken));
    reader_.consume(taken);
    size -= taken;
  }
  co_return true;
}

// It is over with the reply, whatever that is.
Task<bool> ChaosSession::end_message() {
  Reaction reaction = react(Moment::message);
  auto disliked = co_await dislikes_group();
  if (disliked) reaction.manner = Manner::silent;
  std::optional<std::size_t> entry = store(reaction);
  auto said = co_await answer(Moment::message, reaction, "250 2.0.0 Ok: queued\r\n", entry);
  now_ = {};
  co_return said;
}

std::optional<std::size_t> ChaosSession::store(const Reaction& reaction) {
  if (now_.recipients.empty() && !now_.content.empty()) host_.ledger_.complain("content for nobody");
  if (now_.recipients.empty() || reaction.answer != Answer::yes) return std::nullopt;
  if (now_.announced && *now_.announced != now_.content.size())
    host_.ledger_.complain("SIZE was not the message's");
  if (!is_reply(reaction.manner) && !reaction.stores) return std::nullopt;
  return host_.ledger_.store({.sender = now_.sender,
                              .recipients = now_.recipients,
                              .content = now_.content,
                              .ended_at = host_.ledger_.tick(),
                              .was_late = voice_.is_late()});
}

}  // namespace hikyaku::test
