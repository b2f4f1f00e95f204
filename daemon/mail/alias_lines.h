// SPDX-License-Identifier: MIT
// The outer form of an aliases file: which lines belong together, and where a name, a colon and the commas
// stand among quotes and comments. What the parts mean is alias_file.h's affair. Pure, linear.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hikyaku::mail {

// An entry as it stands in the file: its lines with "\n" between them, without those that are blank or
// comments, whose place is kept.
struct AliasEntryText {
  unsigned line = 0;  // of its first, from 1
  std::string text;
};

struct AliasLines {
  std::vector<AliasEntryText> entries;
  unsigned continues_nothing = 0;  // the first line that begins with a blank and has none to continue; or 0
};

// A line that begins with a blank continues the entry before it, one that ends in a backslash is continued by
// the next. Lines may end in CR LF.
AliasLines entries_of(std::string_view file);

// A part of an entry: comments are gone, blanks around it too; quotes and backslashes are as they came.
struct AliasPart {
  unsigned line = 0;
  std::string text;
  bool is_open = false;  // the entry has ended within its quotes, its brackets or a comment
};

struct AliasParts {
  AliasPart name;
  bool has_colon = false;
  std::vector<AliasPart> targets;  // what stands between commas; may be empty texts
};

AliasParts parts_of(const AliasEntryText& entry);

}  // namespace hikyaku::mail
