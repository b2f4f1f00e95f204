// SPDX-License-Identifier: MIT
// Header fields that name people by the name alone, as programs on one machine do: "From: root (Cron
// Daemon)". Beyond the machine that is no address, and smarthosts refuse it. Pure.
#pragma once

#include <string>
#include <string_view>

namespace hikyaku::mail {

// From, Sender, Reply-To, To, Cc, and the same with Resent-.
bool is_address_field(std::string_view name);

// Puts "@domain" behind each name without a domain that would be an address with it; nothing else changes.
// `value` is what stands behind the field's colon, with its folds and its line end; true if it has changed.
bool qualify_addresses(std::string& value, std::string_view domain);

}  // namespace hikyaku::mail
