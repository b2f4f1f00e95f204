// SPDX-License-Identifier: MIT
#include "daemon/mail/smtp_reply.h"

#include <utility>

#include "daemon/base/error.h"
#include "daemon/base/text.h"

namespace hikyaku::mail {

namespace {

struct ReplyLine {
  int code;
  bool last;
  std::string_view text;
};

// RFC 5321 4.2: three digits, then a hyphen, a space, or nothing at all.
std::optional<ReplyLine> parse_line(std::string_view line) {
  const auto code = line.size() < 3 ? std::nullopt : parse_number(line.substr(0, 3));
  if (!code || *code < 200 || *code > 599) return {};
  if (line.size() == 3) return ReplyLine{static_cast<int>(*code), true, {}};
  if (line[3] != ' ' && line[3] != '-') return {};
  return ReplyLine{static_cast<int>(*code), line[3] == ' ', line.substr(4)};
}

std::optional<EnhancedStatus> status_in(const std::string& line, int code) {
  const auto status = parse_enhanced_status(line);
  return status && status->status_class == code / 100 ? status : std::nullopt;
}

// Most peers repeat it on each line, some have it on the first or the last only.
std::optional<EnhancedStatus> status_of(const Reply& reply) {
  const auto first = status_in(reply.lines.front(), reply.code);
  return first ? first : status_in(reply.lines.back(), reply.code);
}

}  // namespace

std::string to_text(const Reply& reply) {
  static constexpr std::size_t kRoom = 16;  // for one escaped character and "…"
  std::string all = std::to_string(reply.code);
  for (const char* between = " "; const std::string& line : reply.lines) {
    if (!line.empty()) all += cat(between, line);
    between = " / ";
    if (all.size() > kMaxReplyText) break;
  }
  return printable(all, kMaxReplyText - kRoom);
}

std::optional<Reply> parse_reply(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  ReplyParser parser;
  auto state = ReplyParser::State::more;
  for (std::string_view line : split(text, '\n')) {
    if (state != ReplyParser::State::more) return {};
    if (line.ends_with('\r')) line.remove_suffix(1);
    state = parser.feed(line);
  }
  if (state != ReplyParser::State::complete) return {};
  return parser.take();
}

ReplyParser::State ReplyParser::feed(std::string_view line) {
  if (std::exchange(fresh_, false)) {
    reply_ = {};
    bytes_ = 0;
  }
  bytes_ += line.size() + 2;
  if (bytes_ > kMaxReplyBytes) return finish(State::flood);
  const auto parsed = parse_line(line);
  if (!parsed || (reply_.code != 0 && parsed->code != reply_.code)) return finish(State::malformed);
  reply_.code = parsed->code;
  if (reply_.lines.size() < kMaxReplyLines) reply_.lines.emplace_back(parsed->text);
  return parsed->last ? finish(State::complete) : State::more;
}

ReplyParser::State ReplyParser::finish(State state) {
  fresh_ = true;
  if (state == State::complete)
    reply_.status = status_of(reply_);
  else
    reply_ = {};
  return state;
}

Reply ReplyParser::take() {
  check(fresh_ && reply_.code != 0, "take() without a complete reply");
  return std::exchange(reply_, {});
}

}  // namespace hikyaku::mail
