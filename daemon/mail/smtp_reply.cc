// SPDX-License-Identifier: MIT
#include "daemon/mail/smtp_reply.h"

#include <algorithm>
#include <utility>

#include "daemon/base/error.h"
#include "daemon/base/text.h"
#include "daemon/mail/handover.h"

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

// Most servers repeat the status on each line, some have it only on the first or the last.
std::optional<EnhancedStatus> status_of(const Reply& reply) {
  const auto first = status_in(reply.lines.front(), reply.code);
  return first ? first : status_in(reply.lines.back(), reply.code);
}

// Removes one to three digits from the front of `text`.
std::optional<std::uint16_t> take_number(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && is_digit(text[length])) ++length;
  if (length == 0 || length > 3) return std::nullopt;
  auto number = parse_number(text.substr(0, length));
  text.remove_prefix(length);
  return static_cast<std::uint16_t>(*number);
}

bool take_dot(std::string_view& text) {
  if (!text.starts_with('.')) return false;
  text.remove_prefix(1);
  return true;
}

bool may_follow(char c) { return c != '.' && !is_digit(c) && !is_alpha(c); }

constexpr std::size_t kMaxMechanisms = 64;
constexpr std::size_t kMaxMechanismLength = 20;  // RFC 4422 3.1
constexpr std::size_t kMaxName = 255;

constexpr std::pair<std::string_view, bool Capabilities::*> kFlags[] = {
    {"PIPELINING", &Capabilities::pipelining},
    {"8BITMIME", &Capabilities::eight_bit_mime},
    {"SMTPUTF8", &Capabilities::smtputf8},
    {"ENHANCEDSTATUSCODES", &Capabilities::enhanced_status_codes},
    {"CHUNKING", &Capabilities::chunking},
    {"DSN", &Capabilities::dsn},
    {"STARTTLS", &Capabilities::starttls},
    {"SIZE", &Capabilities::size},
    {kHandoverKeyword, &Capabilities::handover},
};

bool is_mechanism_name(std::string_view word) {
  const auto is_allowed = [](char c) { return is_alpha(c) || is_digit(c) || c == '-' || c == '_'; };
  return !word.empty() && word.size() <= kMaxMechanismLength && std::ranges::all_of(word, is_allowed);
}

void add_mechanism(Capabilities& capabilities, std::string_view word) {
  const std::string name = to_upper(word);
  const bool has_room = capabilities.mechanisms.size() < kMaxMechanisms;
  if (has_room && is_mechanism_name(word) && !capabilities.offers(name))
    capabilities.mechanisms.push_back(name);
}

// "AUTH=LOGIN PLAIN" is a draft's form for old clients; servers send it beside or instead of the standard
// form.
void apply(Capabilities& capabilities, std::string_view line) {
  const auto end = std::min(line.find_first_of(" \t="), line.size());
  const std::string keyword = to_upper(line.substr(0, end));
  const auto parameters = words(line.substr(std::min(end + 1, line.size())));
  for (const auto& [name, flag] : kFlags)
    if (keyword == name) capabilities.*flag = true;
  if (keyword == "SIZE" && !parameters.empty())
    capabilities.max_size = parse_number(parameters.front()).value_or(0);
  if (keyword == "AUTH")
    for (const std::string_view word : parameters) add_mechanism(capabilities, word);
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

std::optional<EnhancedStatus> parse_enhanced_status(std::string_view text) {
  auto status_class = take_number(text);
  if (!status_class || (*status_class != 2 && *status_class != 4 && *status_class != 5)) return std::nullopt;
  if (!take_dot(text)) return std::nullopt;
  auto subject = take_number(text);
  if (!subject || !take_dot(text)) return std::nullopt;
  auto detail = take_number(text);
  if (!detail || (!text.empty() && !may_follow(text.front()))) return std::nullopt;
  return EnhancedStatus{*status_class, *subject, *detail};
}

std::string to_text(EnhancedStatus status) {
  return cat(std::to_string(status.status_class), ".", std::to_string(status.subject), ".",
             std::to_string(status.detail));
}

bool Capabilities::offers(std::string_view mechanism) const {
  return std::ranges::find(mechanisms, mechanism) != mechanisms.end();
}

Capabilities parse_ehlo(const Reply& reply) {
  Capabilities capabilities;
  if (reply.lines.empty()) return capabilities;
  const auto greeting = words(reply.lines.front());
  if (!greeting.empty()) capabilities.name = printable(greeting.front(), kMaxName);
  for (std::size_t i = 1; i < reply.lines.size(); ++i) apply(capabilities, trim(reply.lines[i]));
  return capabilities;
}

}  // namespace hikyaku::mail
