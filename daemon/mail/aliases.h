// SPDX-License-Identifier: MIT
// Aliases: the table of an aliases file (parsed by alias_file.h), and its application to an envelope. Every
// name leads to addresses in the end, because the table has no loops. Names are compared case-insensitively.
// Pure.
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
  address,     // with a domain: a destination
  name,        // a local name, with its quotes: may be another alias
  final_name,  // not looked up again (written \name, or a name in its own entry)
};

struct AliasTarget {
  AliasTargetKind kind = AliasTargetKind::address;
  std::string text;
  unsigned line = 0;  // its line in the file
  bool operator==(const AliasTarget&) const = default;
};
using AliasTargets = std::vector<AliasTarget>;

// The local part without quotes and in lower case, so that all spellings of a name are equal.
std::string alias_key(std::string_view local_part);

class Aliases {
 public:
  // Returns false and changes nothing if the name exists already.
  bool add(std::string_view name, AliasTargets targets);
  // Returns nullptr if the name is not an alias; valid until the next change.
  const AliasTargets* find(std::string_view local_part) const;
  std::size_t size() const { return entries_.size(); }

  // The addresses that the name leads to, each once, in the file's order; final names get "@domain". Empty if
  // the name is not an alias. Linear in the targets reached.
  std::vector<std::string> expand(std::string_view local_part, std::string_view domain) const;

  // Keyed by alias_key(); for the reader of the file.
  std::map<std::string, AliasTargets, std::less<>>& entries() { return entries_; }

 private:
  std::map<std::string, AliasTargets, std::less<>> entries_;
};

// Which addresses aliases apply to.
struct AliasRules {
  Aliases aliases;
  std::string domain;    // added to addresses without a domain
  std::string hostname;  // this machine's; localhost always counts as local too

  bool is_local(std::string_view domain_of_address) const;
  bool apply_to(std::string_view address) const;
};

struct AliasExpansion {
  std::vector<std::string> replaced;  // the addresses that were aliases; if empty, nothing changes
  std::vector<Recipient> recipients;  // the new list of recipients, each address once
};

// Replaces each recipient that is an alias by the addresses it leads to, which inherit its NOTIFY and ORCPT
// (RFC 3461 5.2.7). If an address then occurs several times, the first one is kept.
AliasExpansion expand(const AliasRules& rules, const std::vector<Recipient>& recipients);

}  // namespace hikyaku::mail
