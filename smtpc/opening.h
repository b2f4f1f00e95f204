// SPDX-License-Identifier: MIT
// From the connection to a session that may log in: TLS from the first byte or by STARTTLS as configured,
// greeting, EHLO. Whatever goes wrong here is the smarthost's failure, never the mail's. It never falls back
// to clear text.
#pragma once

#include "smtpc/session.h"

namespace hikyaku::smtpc {

Task<Result<void, Refusal>> open_session(Session& session);

}  // namespace hikyaku::smtpc
