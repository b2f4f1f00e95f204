// SPDX-License-Identifier: MIT
// An envelope as JSON, the same wherever one is written (queue, export, sink): see CONTROL.md. Pure.
#pragma once

#include "daemon/base/json.h"
#include "daemon/mail/envelope.h"

namespace hikyaku::mail {

// "notify" (RFC 3461's words in lower case), "orcpt".
JsonObject dsn_json(const Recipient& recipient);
// "ret", "envid", "body", "smtputf8", "uid".
JsonObject parameters_json(const Envelope& envelope);

}  // namespace hikyaku::mail
