// SPDX-License-Identifier: MIT
// Parses an aliases file in the notation that sendmail, Postfix and Exim share, as far as it concerns
// addresses:
//
//   # a comment
//   postmaster: root
//   root: admin@example.com, "Second Person" <second@example.com>,
//         \root                 (and the smarthost's root)
//
// What a relay does not support (files, programs, :include:) is a problem and never silently ignored. All
// problems are reported, each with its line and what to write instead. The rest of the file is read
// nevertheless; the caller decides whether to use it. Pure; linear except for the sorting of names.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/mail/aliases.h"

namespace hikyaku::mail {

struct AliasProblem {
  unsigned line = 0;  // from 1
  std::string text;   // plain words, one line, no trailing full stop
  auto operator<=>(const AliasProblem&) const = default;
};

struct ParsedAliases {
  Aliases aliases;  // without loops, and without names that have no addresses
  std::vector<AliasProblem> problems;
};

ParsedAliases parse_aliases(std::string_view file);

// Removes the targets through which a name would lead back to itself (a: b, b: a), each with a problem. A
// name in its own entry is not a loop: it becomes final.
void take_out_loops(Aliases& aliases, std::vector<AliasProblem>& problems);

}  // namespace hikyaku::mail
