// SPDX-License-Identifier: MIT
// MAIL and RCPT as they go out: no space behind the colon, angle brackets always (RFC 5321 4.1.1), a
// parameter only where the smarthost offers its extension. Pure. Without line ends.
#pragma once

#include <string>

#include "daemon/mail/ehlo.h"
#include "daemon/mail/mail_source.h"

namespace hikyaku::smtpc {

// Whether an address cannot travel without SMTPUTF8 (RFC 6531).
bool needs_smtputf8(const std::string& address);

// `has_eight_bit`: the content has bytes from 0x80, or says that it may. `needs_utf8`: an address of the
// transaction needs SMTPUTF8; the smarthost offers it then.
std::string mail_command(const mail::QueuedMail& mail, const mail::Capabilities& capabilities,
                         bool has_eight_bit, bool needs_utf8);
std::string rcpt_command(const mail::Recipient& recipient, const mail::Capabilities& capabilities);

}  // namespace hikyaku::smtpc
