// SPDX-License-Identifier: MIT
// The parameters of MAIL and RCPT (RFC 5321 4.1.2, esmtp-param): SIZE, BODY, SMTPUTF8, RET, ENVID, AUTH;
// NOTIFY, ORCPT. Used by parse_command only. Pure; what is wrong comes back as the reply to give.
#pragma once

#include <expected>
#include <string_view>

#include "daemon/mail/smtp_command.h"

namespace hikyaku::mail {

// `text` is what follows the path. Each parameter at most once. Fills what was given into the command.
std::expected<void, CommandError> apply_parameters(std::string_view text, command::Mail& mail,
                                                   const CommandOptions& options);
std::expected<void, CommandError> apply_parameters(std::string_view text, command::Rcpt& rcpt,
                                                   const CommandOptions& options);

}  // namespace hikyaku::mail
