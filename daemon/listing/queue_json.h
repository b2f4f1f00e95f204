// SPDX-License-Identifier: MIT
// Queued mail as JSON, one object on one line without its end; the names are a promise to scripts. Pure.
#pragma once

#include <optional>
#include <vector>

#include "daemon/base/json.h"
#include "daemon/mail/queue_state.h"
#include "spool/view.h"

namespace hikyaku::listing {

// What `queue --json` prints.
JsonObject queue_json(const spool::ViewedMail& mail, const mail::MailState& state);
// All that is known of it: besides, the sender's parameters (`ret`, `envid`, `body`, `smtputf8`),
// `uid`, `notify` and `orcpt` of each recipient, and, where they are given, the attempts so far (`history`).
JsonObject full_json(const spool::ViewedMail& mail, const mail::MailState& state,
                     const std::optional<std::vector<spool::PastProgress>>& history);

}  // namespace hikyaku::listing
