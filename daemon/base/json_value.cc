// SPDX-License-Identifier: MIT
#include "daemon/base/json_value.h"

#include <algorithm>
#include <charconv>

#include "daemon/base/text.h"

namespace hikyaku {
namespace {

using Value = Result<JsonValue, std::string>;

void append_utf8(std::string& text, std::uint32_t code) {
  auto byte = [&](std::uint32_t bits) { text += static_cast<char>(static_cast<unsigned char>(bits)); };
  if (code < 0x80) return byte(code);
  unsigned tails = 3;  // bytes behind the first
  if (code < 0x10000) tails = 2;
  if (code < 0x800) tails = 1;
  constexpr std::uint32_t kLeads[] = {0, 0xc0, 0xe0, 0xf0};
  byte(kLeads[tails] | (code >> (6 * tails)));
  for (unsigned i = tails; i > 0; --i) byte(0x80U | ((code >> (6 * (i - 1))) & 0x3fU));
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Value whole() {
    auto value = any(0);
    if (!value) return value;
    skip_blanks();
    return at_ == text_.size() ? std::move(value) : wrong("something follows the value");
  }

 private:
  Value any(std::size_t depth) {
    if (depth > kMaxJsonDepth) return wrong("nested too deeply");
    skip_blanks();
    switch (peek()) {
      case '{': return object(depth);
      case '[': return list(depth);
      case '"': return text();
      case 't': return word("true", true);
      case 'f': return word("false", false);
      case 'n': return word("null", nullptr);
      default: return number();
    }
  }

  Value object(std::size_t depth) {
    JsonValue::Members members;
    ++at_;
    if (takes('}')) return JsonValue(std::move(members));
    do {
      auto member = one_member(members, depth);
      if (!member) return std::unexpected(member.error());
    } while (takes(','));
    return takes('}') ? Value(JsonValue(std::move(members))) : wrong("expected , or }");
  }

  Value one_member(JsonValue::Members& members, std::size_t depth) {
    skip_blanks();
    if (peek() != '"') return wrong("expected a name in quotes");
    auto name = text();
    if (!name) return name;
    if (members.size() == kMaxJsonMembers) return wrong("too many members");
    bool is_there =
        std::ranges::find(members, *name->text(), &JsonValue::Members::value_type::first) != members.end();
    if (is_there) return wrong("duplicate name");
    if (!takes(':')) return wrong("expected :");
    auto value = any(depth + 1);
    if (value) members.emplace_back(*name->text(), std::move(*value));
    return value ? Value(JsonValue()) : value;
  }

  Value list(std::size_t depth) {
    JsonValue::List elements;
    ++at_;
    if (takes(']')) return JsonValue(std::move(elements));
    do {
      auto element = any(depth + 1);
      if (!element) return element;
      elements.push_back(std::move(*element));
    } while (takes(','));
    return takes(']') ? Value(JsonValue(std::move(elements))) : wrong("expected , or ]");
  }

  Value text() {
    std::string text;
    for (++at_; at_ < text_.size(); ++at_) {
      char c = text_[at_];
      if (c == '"') {
        ++at_;
        return JsonValue(std::move(text));
      }
      if (static_cast<unsigned char>(c) < 0x20) return wrong("a control character must be escaped");
      if (c != '\\')
        text += c;
      else if (!escaped(text))
        return wrong("invalid escape");
    }
    return wrong("unterminated string");
  }

  // At the backslash; afterwards at the escape's last character.
  bool escaped(std::string& text) {
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    ++at_;
    if (peek() == 'u') return escaped_by_number(text);
    auto which = at_ < text_.size() ? kNames.find(text_[at_]) : kNames.npos;
    if (which != kNames.npos) text += kMeanings[which];
    return which != kNames.npos;
  }

  bool escaped_by_number(std::string& text) {
    auto code = four_digits();
    if (!code || (*code >= 0xdc00 && *code < 0xe000)) return false;
    if (*code >= 0xd800 && *code < 0xdc00) {
      if (text_.substr(at_ + 1, 2) != "\\u") return false;
      at_ += 2;
      auto low = four_digits();
      if (!low || *low < 0xdc00 || *low >= 0xe000) return false;
      code = 0x10000 + ((*code - 0xd800) << 10U) + (*low - 0xdc00);
    }
    append_utf8(text, *code);
    return true;
  }

  // At the u; afterwards at the last digit.
  std::optional<std::uint32_t> four_digits() {
    std::string_view digits = text_.substr(at_ + 1, 4);
    std::uint32_t code = 0;
    auto read = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (digits.size() != 4 || read.ptr != digits.data() + 4) return std::nullopt;
    at_ += 4;
    return code;
  }

  Value word(std::string_view word, JsonValue::Any meaning) {
    if (!text_.substr(at_).starts_with(word)) return wrong("expected a value");
    at_ += word.size();
    return JsonValue(std::move(meaning));
  }

  // from_chars() reads more than JSON allows: "inf", "01", "1.".
  Value number() {
    std::string_view digits = text_.substr(at_, number_length());
    double value = 0;
    auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (digits.empty() || read.ec != std::errc()) return wrong("expected a value");
    at_ += digits.size();
    return JsonValue(value);
  }

  std::size_t number_length() const {
    std::size_t end = at_ + (peek() == '-' ? 1 : 0);
    std::size_t whole = digits_at(end);
    if (whole == 0 || (whole > 1 && text_[end] == '0')) return 0;
    end += whole;
    if (text_.substr(end, 1) == "." && digits_at(end + 1) == 0) return 0;
    if (text_.substr(end, 1) == ".") end += 1 + digits_at(end + 1);
    std::size_t exponent = end;
    if (text_.substr(exponent, 1) == "e" || text_.substr(exponent, 1) == "E") ++exponent;
    if (exponent == end) return end - at_;
    if (text_.substr(exponent, 1) == "+" || text_.substr(exponent, 1) == "-") ++exponent;
    return digits_at(exponent) == 0 ? 0 : exponent + digits_at(exponent) - at_;
  }

  std::size_t digits_at(std::size_t at) const {
    std::size_t end = at;
    while (end < text_.size() && is_digit(text_[end])) ++end;
    return end - at;
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool takes(char c) {
    skip_blanks();
    return peek() == c && at_ < text_.size() ? ++at_, true : false;
  }
  void skip_blanks() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").contains(text_[at_])) ++at_;
  }
  std::unexpected<std::string> wrong(std::string_view what) const {
    return std::unexpected(cat("byte ", std::to_string(at_), ": ", what));
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<bool> JsonValue::boolean() const {
  const bool* value = std::get_if<bool>(&any_);
  return value != nullptr ? std::optional(*value) : std::nullopt;
}

std::optional<double> JsonValue::number() const {
  const double* value = std::get_if<double>(&any_);
  return value != nullptr ? std::optional(*value) : std::nullopt;
}

std::optional<std::uint64_t> JsonValue::whole_number() const {
  constexpr double kExact = 9007199254740992;
  auto value = number();
  bool fits = value && *value >= 0 && *value < kExact;
  if (!fits) return std::nullopt;
  auto whole = static_cast<std::uint64_t>(*value);
  return static_cast<double>(whole) == *value ? std::optional(whole) : std::nullopt;
}

const JsonValue* JsonValue::find(std::string_view name) const {
  const Members* all = members();
  if (all == nullptr) return nullptr;
  auto found = std::ranges::find(*all, name, &Members::value_type::first);
  return found == all->end() ? nullptr : &found->second;
}

std::string JsonValue::text_of(std::string_view name) const {
  const JsonValue* value = find(name);
  return value != nullptr && value->text() != nullptr ? *value->text() : std::string();
}

std::uint64_t JsonValue::whole_number_of(std::string_view name) const {
  const JsonValue* value = find(name);
  return value != nullptr ? value->whole_number().value_or(0) : 0;
}

const JsonValue::List& JsonValue::list_of(std::string_view name) const {
  static const List kNone;
  const JsonValue* value = find(name);
  return value != nullptr && value->list() != nullptr ? *value->list() : kNone;
}

Result<JsonValue, std::string> parse_json(std::string_view text) {
  if (!is_valid_utf8(text)) return std::unexpected("it is not UTF-8");
  return Parser(text).whole();
}

}  // namespace hikyaku
