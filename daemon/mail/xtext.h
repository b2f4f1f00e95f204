// SPDX-License-Identifier: MIT
// xtext (RFC 3461 4): printable ASCII without "+" and "=", everything else as +XX; for ENVID, ORCPT and AUTH.
// from_xtext(to_xtext(s)) == s for every ASCII s without controls.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hikyaku::mail {

// Bytes from 0x80 pass as they are: they occur only in an ORCPT of a transaction with SMTPUTF8 (RFC 6533 3).
std::string to_xtext(std::string_view decoded);

// Nothing if a byte may not stand in xtext, if a +XX is incomplete, or if what it stands for is CR, LF, NUL,
// another control or not ASCII: such bytes must never reach an envelope. Hexadecimal digits are taken in
// either case. With `smtputf8` UTF-8 may stand there unencoded.
std::optional<std::string> from_xtext(std::string_view encoded, bool smtputf8 = false);

}  // namespace hikyaku::mail
