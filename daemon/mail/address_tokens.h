// SPDX-License-Identifier: MIT
// The tokens of a structured header field (RFC 5322 3.2): atoms, quoted strings, domain literals and
// specials; blanks, folds and comments are skipped. Used only by parse_address_list. Pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace hikyaku::mail {

struct AddressToken {
  enum Kind : char {
    end = 0,
    atom = 'a',
    quoted = 'q',    // with its quotes
    literal = 'l',   // with its brackets
    unclosed = 'u',  // a quote or bracket that is not closed; extends to the end
    stray = '?',     // a byte that is not allowed here: a control, a backslash, ")", "]"
    special = 's',   // one of . @ < > , ; :
  };
  Kind kind = end;
  std::size_t begin = 0;
  std::size_t finish = 0;  // after its last byte
  char byte = 0;           // its first byte
  bool is(char c) const { return kind == special && byte == c; }
  bool is_word() const { return kind == atom || kind == quoted; }
};

class AddressTokens {
 public:
  explicit AddressTokens(std::string_view value) : value_(value) {}
  // The next token; `end` at the end and on every later call. An unclosed comment extends to the end.
  AddressToken next();

 private:
  void skip_comments_and_blanks();
  void skip_comment();
  std::size_t end_of_enclosed(char closing) const;
  AddressToken make(AddressToken::Kind kind, std::size_t finish);

  std::string_view value_;
  std::size_t at_ = 0;
};

}  // namespace hikyaku::mail
