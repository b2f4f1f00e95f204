// SPDX-License-Identifier: MIT
// How foreign text is brought into a notice (daemon/mail/dsn.h) without breaking it: wrapped, folded,
// encoded. All results use CRLF. Pure.
#pragma once

#include <string>
#include <string_view>

namespace hikyaku::mail {

inline constexpr std::size_t kMaxLine = 998;  // RFC 5322 2.1.1, without CRLF

// Broken at blanks so that lines have at most 76 bytes where words allow it (a word over 900 bytes is cut),
// each line after `indent` blanks and ended with CRLF. `text` holds no line ends.
std::string wrapped(std::string_view text, std::size_t indent = 0);
// "Name: value" as a header field, folded likewise.
std::string folded_field(std::string_view name, std::string_view value);

// Non-ASCII characters as \x{E9}, so that the text may stand in a field of message/delivery-status. Controls
// and broken UTF-8 are made printable.
std::string ascii_form(std::string_view text);
// An address as a delivery-status field wants it, with its type (RFC 3464 2.3, RFC 6533 3): "rfc822;
// a@example.com", "utf-8; us\x{E9}r@example.com".
std::string typed_address(std::string_view address);

// RFC 2045 6.7; `text` has CRLF line ends.
std::string quoted_printable(std::string_view text);

// Any line ends made CRLF, NULs left out, lines over kMaxLine broken (with `continuation` at the new line's
// beginning), ended with CRLF unless empty.
std::string canonical(std::string_view text, std::string_view continuation);

}  // namespace hikyaku::mail
