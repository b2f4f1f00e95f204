// SPDX-License-Identifier: MIT
#include "daemon/sendmail/header.h"

#include <algorithm>

#include "daemon/base/base64.h"
#include "daemon/base/text.h"
#include "daemon/mail/address.h"

namespace hikyaku::sendmail {
namespace {

constexpr std::size_t kMaxName = 998;  // RFC 5322 2.1.1: a line without a colon up to here is not a field

bool may_stand_in_name(char c) { return c > ' ' && c < 0x7f && c != ':'; }

// The line as a field; the name is empty if the line is not a field.
Field as_field(std::string_view line) {
  auto behind = std::ranges::find_if_not(line, may_stand_in_name);
  Field field{std::string(line), static_cast<std::size_t>(behind - line.begin()), 0};
  field.colon = std::min(line.find_first_not_of(" \t", field.name_length), line.size());
  bool has_colon = field.colon < line.size() && line[field.colon] == ':' && field.colon <= kMaxName;
  if (!has_colon) field.name_length = 0;
  return field;
}

// RFC 2047: words of at most 75 characters, none of which cuts a character of UTF-8.
std::string encode_words(std::string_view name) {
  constexpr std::size_t kMostBytes = 45;
  std::string words;
  while (!name.empty()) {
    std::size_t length = std::min(kMostBytes, name.size());
    auto is_inside = [&](std::size_t at) { return at < name.size() && (name[at] & '\xc0') == '\x80'; };
    while (is_inside(length)) --length;
    words += cat(words.empty() ? "" : "\r\n ", "=?UTF-8?B?", to_base64(name.substr(0, length)), "?=");
    name.remove_prefix(length);
  }
  return words;
}

std::string as_phrase(std::string_view name) {
  if (!is_ascii(name)) return encode_words(name);
  std::string quoted = "\"";
  for (char c : name) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

}  // namespace

bool Field::is(std::string_view name) const { return equals_ignoring_case(this->name(), name); }

Result<bool, Failure> HeaderReader::feed(std::string_view in) {
  rest_.append(in);
  std::size_t at = 0;
  while (!complete_) {
    std::size_t end = rest_.find('\n', at);
    if (end == rest_.npos) break;
    complete_ = !take_line(std::string_view(rest_).substr(at, end + 1 - at));
    if (!complete_) at = end + 1;
  }
  rest_.erase(0, at);
  if (!complete_ && rest_.size() > kMaxName)
    complete_ = !may_continue(rest_) && as_field(rest_).name_length == 0;
  if (complete_ || size_ + rest_.size() <= kMaxHeader) return complete_;
  return fail(Exit::damaged,
              "the header is larger than 1 MiB: put an empty line between header and text; nothing was sent");
}

void HeaderReader::finish() {
  if (!complete_ && !rest_.empty() && take_line(rest_)) rest_.clear();
  complete_ = true;
}

bool HeaderReader::may_continue(std::string_view line) const {
  return !fields_.empty() && fields_.back().name_length > 0 && is_blank(line[0]);
}

// Returns false if the header ends before this line.
bool HeaderReader::take_line(std::string_view line) {
  size_ += line.size();
  if (may_continue(line)) {
    fields_.back().text += line;
    return true;
  }
  Field field = as_field(line);
  bool is_mbox_line = fields_.empty() && line.starts_with("From ") && field.name_length == 0;
  if (field.name_length == 0 && !is_mbox_line) return false;
  fields_.push_back(std::move(field));
  return true;
}

bool has_field(const Fields& fields, std::string_view name) {
  return std::ranges::any_of(fields, [name](const Field& field) { return field.is(name); });
}

void remove_bcc(Fields& fields) {
  std::erase_if(fields, [](const Field& field) { return field.is("Bcc") || field.is("Resent-Bcc"); });
}

Field from_field(std::string_view full_name, std::string_view sender) {
  bool has_domain = !mail::domain_of(sender).empty();
  std::string address = has_domain ? mail::to_addr_spec(sender) : std::string(sender);
  return as_field(cat("From: ", as_phrase(full_name), "\r\n <", address, ">\r\n"));
}

std::string to_text(const Fields& fields) {
  std::string text;
  for (const Field& field : fields) text += field.text;
  return text;
}

std::string to_content(const Fields& fields, std::string_view body) {
  return cat(to_text(fields), body.starts_with("From ") ? "\r\n" : "", body);
}

}  // namespace hikyaku::sendmail
