// SPDX-License-Identifier: MIT
#include "daemon/mail/address_tokens.h"

#include <algorithm>

#include "daemon/base/text.h"

namespace hikyaku::mail {
namespace {

bool is_blank_or_line_end(char c) { return is_blank(c) || c == '\r' || c == '\n'; }

bool is_atext(char c) {
  constexpr std::string_view kOthers = "!#$%&'*+-/=?^_`{|}~";
  return is_alpha(c) || is_digit(c) || static_cast<unsigned char>(c) >= 0x80 ||
         kOthers.find(c) != kOthers.npos;
}

bool is_special(char c) { return std::string_view(".@<>,;:").find(c) != std::string_view::npos; }

}  // namespace

AddressToken AddressTokens::next() {
  skip_comments_and_blanks();
  if (at_ == value_.size()) return {AddressToken::end, at_, at_, 0};
  char c = value_[at_];
  if (is_special(c)) return make(AddressToken::special, at_ + 1);
  if (c == '"' || c == '[') {
    std::size_t finish = end_of_enclosed(c == '"' ? '"' : ']');
    if (finish == value_.npos) return make(AddressToken::unclosed, value_.size());
    return make(c == '"' ? AddressToken::quoted : AddressToken::literal, finish);
  }
  if (!is_atext(c)) return make(AddressToken::stray, at_ + 1);
  auto rest = value_.substr(at_);
  auto end = std::ranges::find_if_not(rest, is_atext);
  return make(AddressToken::atom, at_ + static_cast<std::size_t>(end - rest.begin()));
}

void AddressTokens::skip_comments_and_blanks() {
  while (at_ < value_.size() && (is_blank_or_line_end(value_[at_]) || value_[at_] == '(')) {
    if (value_[at_] == '(') {
      skip_comment();
    } else {
      ++at_;
    }
  }
}

// Comments nest (RFC 5322 3.2.2).
void AddressTokens::skip_comment() {
  for (std::size_t depth = 0; at_ < value_.size(); ++at_) {
    char c = value_[at_];
    if (c == '\\' && at_ + 1 < value_.size()) ++at_;
    if (c == '(') ++depth;
    if (c == ')' && --depth == 0) break;
  }
  at_ = std::min(at_ + 1, value_.size());
}

std::size_t AddressTokens::end_of_enclosed(char closing) const {
  for (std::size_t i = at_ + 1; i < value_.size(); ++i) {
    if (value_[i] == '\\') {
      ++i;
    } else if (value_[i] == closing) {
      return i + 1;
    }
  }
  return value_.npos;
}

AddressToken AddressTokens::make(AddressToken::Kind kind, std::size_t finish) {
  AddressToken token{kind, at_, finish, value_[at_]};
  at_ = finish;
  return token;
}

}  // namespace hikyaku::mail
