// SPDX-License-Identifier: MIT
#include <algorithm>

#include "daemon/base/text.h"
#include "daemon/mail/dsn.h"

namespace hikyaku::mail {

namespace {

constexpr std::size_t kWidth = 76;
constexpr std::size_t kMaxWord = 900;
constexpr char kHexDigits[] = "0123456789ABCDEF";

// Puts words one after the other into lines; each line begins with `lead`.
class Wrapper {
 public:
  Wrapper(std::string_view first_lead, std::string_view lead) : text_(first_lead), lead_(lead) {
    column_ = text_.size();
  }
  void add(std::string_view word) {
    if (!at_start_ && column_ + 1 + word.size() > kWidth) start_line();
    if (!at_start_) put(" ");
    put(word);
    at_start_ = false;
  }
  std::string take() && { return std::move(text_) + "\r\n"; }

 private:
  void start_line() {
    text_ += "\r\n";
    column_ = 0;
    put(lead_);
    at_start_ = true;
  }
  void put(std::string_view piece) {
    text_ += piece;
    column_ += piece.size();
  }

  std::string text_;
  std::string_view lead_;
  std::size_t column_ = 0;
  bool at_start_ = true;
};

void add_words(Wrapper& wrapper, std::string_view text) {
  for (std::string_view word : words(text))
    for (; !word.empty(); word.remove_prefix(std::min(word.size(), kMaxWord)))
      wrapper.add(word.substr(0, kMaxWord));
}

// Removes and returns the first character of valid UTF-8.
char32_t take_character(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  char32_t code = length == 1 ? lead : lead & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3fU);
  text.remove_prefix(length);
  return code;
}

void append_escaped(std::string& to, char32_t code) {
  to += "\\x{";
  for (int shift = 20; shift >= 0; shift -= 4)
    if (code >> shift != 0) to += kHexDigits[code >> shift & 0xf];
  to += '}';
}

// `special` are the ASCII characters that are escaped too.
std::string escaped(std::string_view utf8, std::string_view special) {
  std::string result;
  while (!utf8.empty()) {
    const char32_t code = take_character(utf8);
    if (code < 0x80 && special.find(static_cast<char>(code)) == special.npos)
      result += static_cast<char>(code);
    else
      append_escaped(result, code);
  }
  return result;
}

bool is_clean(std::string_view text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; };
  return is_valid_utf8(text) && std::ranges::none_of(text, is_control);
}

bool stands_for_itself(std::string_view text, std::size_t at) {
  if (is_blank(text[at])) return at + 1 < text.size() && text[at + 1] != '\r';
  return text[at] > ' ' && text[at] < 0x7f && text[at] != '=';
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t indent) {
  const std::string lead(indent, ' ');
  Wrapper wrapper(lead, lead);
  add_words(wrapper, text);
  return std::move(wrapper).take();
}

std::string folded_field(std::string_view name, std::string_view value) {
  Wrapper wrapper(cat(name, ": "), " ");
  add_words(wrapper, value);
  return std::move(wrapper).take();
}

std::string ascii_form(std::string_view text) {
  return escaped(is_clean(text) ? std::string(text) : printable(text), "");
}

std::string typed_address(std::string_view address) {
  if (is_ascii(address)) return cat("rfc822; ", ascii_form(address));
  return cat("utf-8; ", escaped(is_clean(address) ? std::string(address) : printable(address), "\\+="));
}

std::string quoted_printable(std::string_view text) {
  std::string result;
  std::size_t column = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' || text[i] == '\n') {
      result += text[i];
      column = 0;
      continue;
    }
    if (column + 3 >= kWidth) {
      result += "=\r\n";
      column = 0;
    }
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool itself = stands_for_itself(text, i);
    if (itself)
      result += text[i];
    else
      result.append({'=', kHexDigits[byte >> 4], kHexDigits[byte & 0xf]});
    column += itself ? 1 : 3;
  }
  return result;
}

std::string canonical(std::string_view text, std::string_view continuation) {
  std::string result;
  std::size_t column = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\0') continue;
    const bool is_pair = text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    if (is_pair) ++i;
    if (text[i] == '\n' || text[i] == '\r') {
      result += "\r\n";
      column = 0;
      continue;
    }
    if (column == kMaxLine) {
      result += cat("\r\n", continuation);
      column = continuation.size();
    }
    result += text[i];
    ++column;
  }
  if (column != 0) result += "\r\n";
  return result;
}

}  // namespace hikyaku::mail
