// SPDX-License-Identifier: MIT
// Takes a message apart as it streams by: names of fields, their text, and the body. Changes nothing: the parts,
// one after the other, are the message. Memory is bounded by one name, whatever the input. Pure.
//
// The header ends as it does for IntakeFilter (intake.h), through which all queued mail has come: at the first
// line that is neither a field nor, after a field, a continuation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hikyaku::mail {

enum class HeaderPart : std::uint8_t {
  name,  // of a field, with the colon and the blanks before it; begins a field
  text,  // a piece of the field's text, at most to a line end
  body,  // everything from the line that ends the header; once there, nothing else comes
};

struct HeaderPiece {
  HeaderPart part;
  std::string_view bytes;  // valid until the next call
};

class HeaderScanner {
 public:
  // The next piece, taken off the front of `in`; nullopt if `in` is used up.
  std::optional<HeaderPiece> next(std::string_view& in);
  // At the end of the message: the beginning of a line that has not become a field. It belongs to the body.
  std::string_view rest() const { return state_ == State::name ? std::string_view(held_) : ""; }
  bool is_in_body() const { return state_ == State::body; }

 private:
  enum class State : std::uint8_t { line_start, name, text, body };

  HeaderPiece text(std::string_view& in);
  std::optional<HeaderPiece> hold(char c);
  bool fits_name(char c) const;

  State state_ = State::line_start;
  bool in_field_ = false;
  bool name_has_ended_ = false;
  std::string held_;
};

// "Subject" of "Subject:" and of "Subject :".
std::string_view field_name_of(std::string_view name_piece);

}  // namespace hikyaku::mail
