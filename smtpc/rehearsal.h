// SPDX-License-Identifier: MIT
// MAIL and RCPT without a mail: whether the smarthost would take one from this sender to this recipient. For
// `hikyaku check`. Never sends DATA; what is refused is judged as a mail's refusal on a smarthost that has not
// yet accepted any, so the words are those of the log.
#pragma once

#include <string>

#include "smtpc/session.h"

namespace hikyaku::smtpc {

// After open_session() and log_in(). `sender` is the one before rewriting. RCPT is asked because many servers
// wait for it with everything that they hold against MAIL, or against us. Leaves no transaction open.
Task<Result<void, Refusal>> rehearse(Session& session, std::string sender, std::string recipient);

}  // namespace hikyaku::smtpc
