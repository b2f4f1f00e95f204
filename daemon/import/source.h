// SPDX-License-Identifier: MIT
// The files of another relay's configuration, and their lines. The namespace is `importing`, since `import` is a
// word of the language. Nothing here opens a file by itself: the caller hands in how to read one, so that tests
// need no disk, and no program is ever run.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/error.h"

namespace hikyaku::importing {

struct Place {
  std::string file;
  unsigned line = 0;  // from 1; 0: the file as a whole
  bool operator==(const Place&) const = default;
};
std::string to_text(const Place& place);  // "/etc/postfix/main.cf:12"

// Returns a text file, at most 1 MiB; the error says why not, to follow the path: "does not exist".
using ReadText = std::function<Result<std::string, std::string>(const std::string& path)>;

struct Line {
  std::string text;
  unsigned number = 0;
};

// Without line ends, and without those that are blank or begin with # (after blanks).
std::vector<Line> lines_of(std::string_view text);
// The same, where a line that begins with a blank continues the one before it (Postfix).
std::vector<Line> logical_lines_of(std::string_view text);

// The first word, and the trimmed rest. Views into `text`.
struct WordAndRest {
  std::string_view word;
  std::string_view rest;
};
WordAndRest first_word(std::string_view text);

// "yes", "on", "true", "1" in any case.
bool is_yes(std::string_view word);

// Splits at blanks and commas.
std::vector<std::string_view> list_of(std::string_view text);

std::string directory_of(const std::string& file);

// The macro calls of a sendmail.mc: NAME(`argument', `argument'). Not m4: nothing is expanded, included or run, and
// what stands between the calls is skipped, like everything behind `dnl`.
struct M4Call {
  std::string name;
  std::vector<std::string> arguments;  // trimmed, and without one pair of quotes
  unsigned line = 0;
};

// Never fails: a call that is not closed ends with the text.
std::vector<M4Call> m4_calls(std::string_view text);

}  // namespace hikyaku::importing
