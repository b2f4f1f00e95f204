// SPDX-License-Identifier: MIT
// Hides who is meant where `log.addresses` is masked: of a local part the first character remains, "a***@example.com",
// however long it is, so that one address always looks the same. Pure.
#pragma once

#include <string>
#include <string_view>

namespace hikyaku::log {

// An address by itself, with any bytes. Text without "@" is a name by itself, and masked too; empty stays empty.
std::string mask_address(std::string_view address);

// Every address in a text, as servers and people write them: <anna@example.com>, "anna b"@example.com,
// rfc822;anna@example.com, 'anna@example.com'. Rather too much than too little: what comes before an "@" and a
// domain is taken for a local part up to a blank, a bracket or a separator. Linear in the text.
std::string mask_addresses(std::string_view text);

}  // namespace hikyaku::log
