// SPDX-License-Identifier: MIT
// The outer syntax of an aliases file: which lines form an entry, and where its name, colon and commas are
// among quotes and comments. alias_file.h interprets the parts. Pure, linear.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hikyaku::mail {

// An entry as in the file: its lines separated by "\n"; lines that are blank or comments are empty.
struct AliasEntryText {
  unsigned line = 0;  // of its first line, from 1
  std::string text;
};

struct AliasLines {
  std::vector<AliasEntryText> entries;
  unsigned continues_nothing =
      0;  // the first line that begins with a blank but has no entry to continue; or 0
};

// A line that begins with a blank continues the entry before it; a line that ends in a backslash is continued
// by the next line. Lines may end in CR LF.
AliasLines entries_of(std::string_view file);

// A part of an entry, without comments and surrounding blanks; quotes and backslashes are kept.
struct AliasPart {
  unsigned line = 0;
  std::string text;
  bool is_open = false;  // the entry ended inside its quotes, brackets or a comment
};

struct AliasParts {
  AliasPart name;
  bool has_colon = false;
  std::vector<AliasPart> targets;  // the texts between commas; may be empty
};

AliasParts parts_of(const AliasEntryText& entry);

}  // namespace hikyaku::mail
