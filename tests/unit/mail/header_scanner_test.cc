// SPDX-License-Identifier: MIT
#include "daemon/mail/header_scanner.h"

#include <string>

#include "doctest/doctest.h"

using namespace hikyaku::mail;

namespace {

// "n" and the name, "t" and the text, "b" and the body, pieces of one kind together; "r" and the rest.
std::string parts(std::string_view message, std::size_t piece) {
  HeaderScanner scanner;
  std::string text;
  char last = 0;
  for (; !message.empty(); message.remove_prefix(std::min(piece, message.size()))) {
    std::string_view in = message.substr(0, piece);
    while (auto found = scanner.next(in)) {
      const char kind = found->part == HeaderPart::name ? 'n' : found->part == HeaderPart::text ? 't' : 'b';
      if (kind != last || kind == 'n') text += std::string(text.empty() ? "" : "|") + kind;
      last = kind;
      text += found->bytes;
    }
  }
  return scanner.rest().empty() ? text : text + "|r" + std::string(scanner.rest());
}

}  // namespace

TEST_CASE("header scanner: names, texts with their continuations, and the body, in pieces of any size") {
  const std::pair<const char*, const char*> kCases[] = {
      {"A: 1\r\n\r\nB: 2\r\n", "nA:|t 1\r\n|b\r\nB: 2\r\n"},
      {"A: 1\r\n 2\r\n\t\r\nB :3\r\n\r\n", "nA:|t 1\r\n 2\r\n\t\r\n|nB :|t3\r\n|b\r\n"},
      {"A: 1\r\nno field\r\n\r\n", "nA:|t 1\r\n|bno field\r\n\r\n"},
      {" A: 1\r\n", "b A: 1\r\n"},
      {": 1\r\n", "b: 1\r\n"},
      {"A: 1\r\n: 2\r\n", "nA:|t 1\r\n|b: 2\r\n"},
      {"A B: 1\r\n", "bA B: 1\r\n"},
      {"\xc3\xbc: 1\r\n", "b\xc3\xbc: 1\r\n"},
      {"A: 1\r\nB", "nA:|t 1\r\n|rB"},
      {"A:", "nA:"},
      {"", ""},
  };
  for (const auto& [message, expected] : kCases) {
    for (std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{100}}) {
      CAPTURE(message);
      CHECK(parts(message, piece) == expected);
    }
  }
}

TEST_CASE("header scanner: a name has an end before its colon, blanks or not") {
  CHECK(field_name_of("Subject:") == "Subject");
  CHECK(field_name_of("Subject \t:") == "Subject");
}
