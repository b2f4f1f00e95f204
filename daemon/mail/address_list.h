// SPDX-License-Identifier: MIT
// The addresses of a header field (RFC 5322 3.4, with the obsolete forms of 4.4): mailboxes, groups,
// comments, quoted strings, folds, routes; parsed leniently, as people and scripts write them. Each mailbox
// has its position in the field, so that it can be completed there without other changes. Pure; linear in the
// value.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hikyaku::mail {

struct ListedMailbox {
  // The addr-spec without comments, blanks, folds and route: "user@example.com", "\"a b\"@example.com",
  // "root". Not checked further: parse_path (address.h) decides whether it is valid in an envelope.
  std::string address;
  std::size_t begin =
      0;                // the addr-spec's position in the value; between begin and end there may be comments
  std::size_t end = 0;  // after its last byte; "@domain" inserted here completes an address without a domain
  bool has_domain = false;
  // Its entry, for whoever writes it with another address: display name, brackets and comments, with the
  // blanks around them, without the separators.
  std::size_t entry_begin = 0;
  std::size_t entry_end = 0;
  // What another address takes the place of: "<…>" with its brackets, or what is between begin and end.
  std::size_t spot_begin = 0;
  std::size_t spot_end = 0;
  bool is_bracketed = false;
  bool has_at_in_name = false;  // "a@b <c@d>": no display name of RFC 5322, and read as an address by some
  bool operator==(const ListedMailbox&) const = default;
};

struct ListProblem {
  std::size_t at = 0;  // where the faulty entry begins in the value
  std::string text;    // what is wrong; contains nothing of the value
  bool operator==(const ListProblem&) const = default;
};

struct AddressList {
  std::vector<ListedMailbox> mailboxes;  // in order, duplicates included
  std::optional<ListProblem> problem;    // the first one; its entry is left out, later entries are parsed
};

// `value` is the text after the field's colon, folds included (CR LF or LF and a blank). An empty list, an
// empty group ("undisclosed-recipients:;") and <> have no mailbox and are not a problem. ";" outside a group
// separates like a comma. Anything before "<" is a display name. Bytes from 0x80 count as letters.
AddressList parse_address_list(std::string_view value);

}  // namespace hikyaku::mail
