// SPDX-License-Identifier: MIT
// Envelope addresses: the Path of RFC 5321 4.1.2, parsed leniently where applications are sloppy and strictly
// where a byte could do harm. An address is plain data: one that begins with "-" or "|" is not special. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/base/error.h"

namespace hikyaku::mail {

enum class PathErrorKind : std::uint8_t {
  missing,         // no address at all, or <> where it is not allowed
  syntax,          // not an address, or controls, unbalanced quotes or brackets
  several,         // more than one address
  too_long,        // RFC 5321 4.5.3.1: local part 64, domain 255, address 254 bytes
  needs_smtputf8,  // bytes from 0x80 without SMTPUTF8 (RFC 6531)
};
using PathError = Error<PathErrorKind>;  // its text contains nothing of the input

struct PathOptions {
  // Added to an address without a domain (<postmaster>, root). If empty, such an address is a `syntax` error.
  std::string_view default_domain;
  bool allow_null = false;  // <> is the null sender, for MAIL only
  bool smtputf8 = false;    // the address may contain UTF-8 beyond ASCII
};

struct ParsedPath {
  // "user@example.com": without brackets and source route, always with a domain. Empty: the null sender.
  std::string address;
  bool lenient = false;  // deviates from the RFC: blanks before it, or no angle brackets
  bool is_bare = false;  // it came without a domain, and has the default one
  bool operator==(const ParsedPath&) const = default;
};

// The whole of `text` is one path: "<a@b>", "a@b", " <@x,@y:a@b>", "<\"a b\"@[127.0.0.1]>", "<postmaster>",
// "<>". Blanks around it are dropped; a source route is checked and dropped (RFC 5321 C). The local part may
// contain dots anywhere (users of some mobile carriers have addresses such as a..b.@…), labels of the domain
// "_".
Result<ParsedPath, PathError> parse_path(std::string_view text, const PathOptions& options);

// Splits "<a@b> SIZE=1" or "a@b SIZE=1" into the path, with its brackets, and the rest. Respects quoted
// strings. Returns views into `text`. Never fails: parse_path checks the path, the caller checks the rest.
struct PathAndRest {
  std::string_view path;
  std::string_view
      rest;  // after the path: empty, or begins with the blank that ended the path, or with garbage
};
PathAndRest split_path(std::string_view text);

// The parts of an address as parse_path returns it, as views into it; both are empty for the null sender.
std::string_view local_part_of(std::string_view address);  // with its quotes
std::string_view domain_of(std::string_view address);      // a literal with its brackets

// The address as an RFC 5322 addr-spec for a header field: quotes a local part with misplaced dots.
std::string to_addr_spec(std::string_view address);

// A domain name that is valid in an address: labels of letters, digits, "-", "_", and UTF-8 if `smtputf8` is
// set.
bool is_domain(std::string_view text, bool smtputf8 = false);
// "[127.0.0.1]" or "[IPv6:::1]" (RFC 5321 4.1.3).
bool is_address_literal(std::string_view text);

// Local parts are compared with their case, domains without it (RFC 5321 2.4).
bool is_same_address(std::string_view a, std::string_view b);

}  // namespace hikyaku::mail
