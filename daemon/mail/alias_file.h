// SPDX-License-Identifier: MIT
// Reads an aliases file in the notation that sendmail, Postfix and Exim share, as far as it means addresses:
//
//   # a comment
//   postmaster: root
//   root: admin@example.com, "Second Person" <second@example.com>,
//         \root                 (and the smarthost's root)
//
// What cannot be had from a relay (files, programs, :include:) is a problem, never ignored in silence. All
// problems are told, each with its line and what to write instead; the rest of the file is read all the same,
// and it is the caller's decision whether that will do. Pure; linear but for the sorting of names.
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
  Aliases aliases;  // without loops, and without names that stand for nothing
  std::vector<AliasProblem> problems;
};

ParsedAliases parse_aliases(std::string_view file);

// The targets by which a name would lead back to itself (a: b, b: a) are taken out, each with a problem. A
// name in its own entry is none: it becomes final.
void take_out_loops(Aliases& aliases, std::vector<AliasProblem>& problems);

}  // namespace hikyaku::mail
