// SPDX-License-Identifier: MIT
// The words of a structured header field (RFC 5322 3.2): atoms, quoted strings, domain literals and specials;
// blanks, folds and comments are dropped. Used by parse_address_list only. Pure.
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
    unclosed = 'u',  // a quote or a bracket without its end: all the rest
    stray = '?',     // a byte that may not stand here: a control, a backslash, ")", "]"
    special = 's',   // one of . @ < > , ; :
  };
  Kind kind = end;
  std::size_t begin = 0;
  std::size_t finish = 0;  // behind its last byte
  char byte = 0;           // its first
  bool is(char c) const { return kind == special && byte == c; }
  bool is_word() const { return kind == atom || kind == quoted; }
};

class AddressTokens {
 public:
  explicit AddressTokens(std::string_view value) : value_(value) {}
  // The next one; `end` again and again at the end. A comment that is not closed ends with the value.
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
