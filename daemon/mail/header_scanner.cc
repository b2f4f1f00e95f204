// SPDX-License-Identifier: MIT
#include "daemon/mail/header_scanner.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::mail {
namespace {

// RFC 5322 2.1.1: a line without a colon up to here is not a field.
constexpr std::size_t kLongestName = 998;

}  // namespace

std::optional<HeaderPiece> HeaderScanner::next(std::string_view& in) {
  while (!in.empty()) {
    const char c = in.front();
    if (state_ == State::line_start) {
      const bool continues = is_blank(c) && in_field_;
      state_ = continues ? State::text : State::name;
      held_.clear();
      name_has_ended_ = false;
    }
    if (state_ == State::body) return HeaderPiece{HeaderPart::body, std::exchange(in, {})};
    if (state_ == State::text) return text(in);
    in.remove_prefix(1);
    if (auto piece = hold(c)) return piece;
  }
  return std::nullopt;
}

HeaderPiece HeaderScanner::text(std::string_view& in) {
  const std::size_t end = in.find('\n');
  const std::string_view line = in.substr(0, end == in.npos ? in.size() : end + 1);
  in.remove_prefix(line.size());
  if (end != in.npos) state_ = State::line_start;
  return {HeaderPart::text, line};
}

// A line that turns out to be no field belongs to the body, with all that was held of it.
std::optional<HeaderPiece> HeaderScanner::hold(char c) {
  const bool fits = fits_name(c);
  const bool is_complete = c == ':' && !held_.empty();
  held_ += c;
  if (is_complete) {
    in_field_ = true;
    state_ = State::text;
    return HeaderPiece{HeaderPart::name, held_};
  }
  name_has_ended_ = name_has_ended_ || is_blank(c);
  if (fits && held_.size() <= kLongestName) return std::nullopt;
  state_ = State::body;
  return HeaderPiece{HeaderPart::body, held_};
}

bool HeaderScanner::fits_name(char c) const {
  if (is_blank(c)) return !held_.empty();
  return c > ' ' && c < 0x7f && c != ':' && !name_has_ended_;
}

std::string_view field_name_of(std::string_view name_piece) {
  if (name_piece.ends_with(':')) name_piece.remove_suffix(1);
  return trim(name_piece);
}

}  // namespace hikyaku::mail
