// SPDX-License-Identifier: MIT
// One line of authinfo in each of the four notations. Pure. The texts of errors hold nothing of the line.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/config/authinfo.h"

namespace hikyaku::config {

// All lines come without line end and without leading blanks.

// AuthInfo:HOST "U:authzid" "I:user" "P:password" "R:realm" "M:MECHANISM …", with = for : where the value is
// Base64.
bool is_sendmail_line(std::string_view line);
Result<AuthinfoEntry, std::string> parse_sendmail_line(std::string_view line);

// machine HOST [port PORT] login USER password PASSWORD, or default login …; values may be quoted.
bool is_netrc_line(std::string_view line);
Result<AuthinfoEntry, std::string> parse_netrc_line(std::string_view line);

// HOST[:PORT] USER:PASSWORD; nullopt if the line has another form.
std::optional<AuthinfoEntry> parse_postfix_line(std::string_view line);
// USER:HOST:PASSWORD; nullopt if the line has another form.
std::optional<AuthinfoEntry> parse_clsmtpc_line(std::string_view line);

}  // namespace hikyaku::config
