// SPDX-License-Identifier: MIT
// Envelope addresses: the Path of RFC 5321 4.1.2, read leniently where applications are sloppy and strictly
// where a byte could hurt. An address is pure data: one that begins with "-" or "|" is an address like any
// other. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/base/error.h"

namespace hikyaku::mail {

enum class PathErrorKind : std::uint8_t {
  missing,         // no address at all, or <> where it may not stand
  syntax,          // not an address, or controls, unbalanced quotes or brackets
  several,         // more than one address
  too_long,        // RFC 5321 4.5.3.1: local part 64, domain 255, address 254 bytes
  needs_smtputf8,  // bytes from 0x80 without SMTPUTF8 (RFC 6531)
};
using PathError = Error<PathErrorKind>;  // its text repeats nothing of the input

struct PathOptions {
  // Added to an address without one (<postmaster>, root). Empty: such an address is `syntax`.
  std::string_view default_domain;
  bool allow_null = false;  // <> is the null sender, for MAIL only
  bool smtputf8 = false;    // bytes from 0x80 may stand in the address; they must be UTF-8
};

struct ParsedPath {
  // "user@example.com": no brackets, no source route, a domain always. Empty: the null sender.
  std::string address;
  bool lenient = false;  // was not written as the RFC has it: blanks before it, or no angle brackets
  bool operator==(const ParsedPath&) const = default;
};

// The whole of `text` is one path: "<a@b>", "a@b", " <@x,@y:a@b>", "<\"a b\"@[127.0.0.1]>", "<postmaster>",
// "<>". Blanks around it are dropped. A source route is checked and dropped (RFC 5321 C). The local part may
// hold dots anywhere (there are mobile carriers whose users have a..b. as theirs); a domain's labels may hold
// "_".
Result<ParsedPath, PathError> parse_path(std::string_view text, const PathOptions& options);

// Cuts "<a@b> SIZE=1" or "a@b SIZE=1" into the path, still in its brackets, and what follows it. Quoted
// strings are respected. Views into `text`. Never fails: parse_path judges the path, the caller judges the
// rest.
struct PathAndRest {
  std::string_view path;
  std::string_view rest;  // begins behind the path: empty, or with the blank that ended it, or with garbage
};
PathAndRest split_path(std::string_view text);

// Of an address in the form that parse_path returns; views into it. The null sender has neither.
std::string_view local_part_of(std::string_view address);  // with its quotes
std::string_view domain_of(std::string_view address);      // a literal with its brackets

// The address as an RFC 5322 addr-spec for a header field: a local part with dots at odd places gets quotes.
std::string to_addr_spec(std::string_view address);

// A domain name as it may stand in an address: labels of letters, digits, "-", "_", and with `smtputf8`
// UTF-8.
bool is_domain(std::string_view text, bool smtputf8 = false);
// "[127.0.0.1]" or "[IPv6:::1]" (RFC 5321 4.1.3).
bool is_address_literal(std::string_view text);

}  // namespace hikyaku::mail
