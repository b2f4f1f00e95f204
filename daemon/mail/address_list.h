// SPDX-License-Identifier: MIT
// The addresses of a header field (RFC 5322 3.4, with the obsolete forms of 4.4): mailboxes, groups,
// comments, quoted strings, folds, routes; read leniently, as people and scripts write them. Each mailbox
// keeps its place in the field, so that it can be completed there and nothing else is touched. Pure; linear
// in the value.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hikyaku::mail {

struct ListedMailbox {
  // The addr-spec without comments, blanks, folds and route: "user@example.com", "\"a b\"@example.com",
  // "root". Not judged beyond that: parse_path (address.h) says whether it can stand in an envelope.
  std::string address;
  std::size_t begin = 0;  // where the addr-spec stands in the value; what lies between may hold comments
  std::size_t end = 0;    // behind its last byte; "@domain" inserted here completes one without a domain
  bool has_domain = false;
  bool operator==(const ListedMailbox&) const = default;
};

struct ListProblem {
  std::size_t at = 0;  // where in the value the entry begins that cannot be read
  std::string text;    // what is wrong; repeats nothing of the value
  bool operator==(const ListProblem&) const = default;
};

struct AddressList {
  std::vector<ListedMailbox> mailboxes;  // in their order, doubles kept
  std::optional<ListProblem> problem;    // the first one; its entry is left out, those behind it are read
};

// `value` is what stands behind the field's colon, folds included (CR LF or LF and a blank). An empty list,
// an empty group ("undisclosed-recipients:;") and <> have no mailbox and are no problem. ";" outside a group
// separates like a comma. A name is whatever stands before "<". Bytes from 0x80 are taken as letters.
AddressList parse_address_list(std::string_view value);

}  // namespace hikyaku::mail
