// SPDX-License-Identifier: MIT
// Names of this machine's users and what they stand for: the contents of an aliases file as a table
// (alias_file.h reads it), and what it makes of an envelope. A name stands for addresses in the end, whatever
// lies between: the table has no loops. Names are compared without regard to case. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/mail/envelope.h"

namespace hikyaku::mail {

enum class AliasTargetKind : std::uint8_t {
  address,     // with a domain: mail leaves for there
  name,        // of this machine, with its quotes: may be an alias again
  final_name,  // is not looked up again (written \name, or a name within its own entry)
};

struct AliasTarget {
  AliasTargetKind kind = AliasTargetKind::address;
  std::string text;
  unsigned line = 0;  // where it stands in the file
  bool operator==(const AliasTarget&) const = default;
};
using AliasTargets = std::vector<AliasTarget>;

// The local part without its quotes, in lower case: what two spellings of one name have in common.
std::string alias_key(std::string_view local_part);

class Aliases {
 public:
  // False, and nothing changed, if the name is there already.
  bool add(std::string_view name, AliasTargets targets);
  // Null if it is no alias; valid until the next change.
  const AliasTargets* find(std::string_view local_part) const;
  std::size_t size() const { return entries_.size(); }

  // The addresses that the name stands for, each once, in the file's order; what ends as a name gets
  // "@domain". Linear in what is reached. Empty if it is no alias.
  std::vector<std::string> expand(std::string_view local_part, std::string_view domain) const;

  // Keyed by alias_key(); for the reader of the file.
  std::map<std::string, AliasTargets, std::less<>>& entries() { return entries_; }

 private:
  std::map<std::string, AliasTargets, std::less<>> entries_;
};

// To whose mail aliases are applied.
struct AliasRules {
  Aliases aliases;
  std::string domain;    // what addresses without a domain get
  std::string hostname;  // this machine's; localhost is always meant as well

  bool is_local(std::string_view domain_of_address) const;
  bool apply_to(std::string_view address) const;
};

struct AliasExpansion {
  std::vector<std::string> replaced;  // the addresses that were aliases; empty: nothing changes
  std::vector<Recipient> recipients;  // what is there instead of all of them, each address once
};

// A recipient whose name is an alias gives way to what the name stands for, with its NOTIFY and ORCPT (RFC
// 3461 5.2.7). Of an address that is there several times then, the first counts.
AliasExpansion expand(const AliasRules& rules, const std::vector<Recipient>& recipients);

}  // namespace hikyaku::mail
