// SPDX-License-Identifier: MIT
// Aliases: the table of an aliases file (parsed by alias_file.h), and its application to an envelope. Every
// name leads to addresses in the end, because the table has no loops. Names are compared case-insensitively.
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
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
  // The same, with the address of each name that leads no further.
  using AddressOf = std::function<std::string(std::string_view name)>;
  std::vector<std::string> expand(std::string_view local_part, const AddressOf& address_of) const;

  // Keyed by alias_key(); for the reader of the file.
  std::map<std::string, AliasTargets, std::less<>>& entries() { return entries_; }

 private:
  std::map<std::string, AliasTargets, std::less<>> entries_;
};

// Which addresses aliases apply to, and which mean users of this machine.
struct AliasRules {
  Aliases aliases;
  std::string domain;        // added to addresses without a domain
  std::string hostname;      // this machine's; localhost always counts as local too
  std::string local_mail{};  // the mailbox of all users of this machine; empty: none

  bool is_local(std::string_view domain_of_address) const;
  bool apply_to(std::string_view address) const;
  // Whether a user of this machine is meant if one has that name: it came as a name alone, or with a name that is
  // this machine's only. What came with `domain` may be a mailbox behind the smarthost that is called like a user.
  bool may_mean_user(const Recipient& recipient) const;
};
// Whether this machine has a user of that name, which is in the form of alias_key().
using IsUser = std::function<bool(const std::string& name)>;

struct AliasExpansion {
  std::vector<std::string> replaced;  // the addresses that were aliases or users; if empty, nothing changes
  std::vector<Recipient> recipients;  // the new list of recipients, each address once
};

// Replaces each recipient that is an alias by the addresses it leads to, and users of this machine that no alias
// names, among the recipients or where aliases lead, by `local_mail`. They inherit the recipient's NOTIFY and ORCPT
// (RFC 3461 5.2.7). If an address then occurs several times, the first one is kept. `is_user` is called, perhaps
// repeatedly, for the names on which the result depends; without `local_mail` never.
AliasExpansion expand(
    const AliasRules& rules, const std::vector<Recipient>& recipients,
    const IsUser& is_user = [](const std::string&) { return false; });

}  // namespace hikyaku::mail
