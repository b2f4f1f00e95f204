// SPDX-License-Identifier: MIT
// The dialogue of logging in (RFC 4954). A refused log-in is the smarthost's failure, never the mail's;
// nothing is sent without the log-in that was configured. What is said here is wiped after use and never part
// of a failure.
#pragma once

#include "smtpc/login_plan.h"
#include "smtpc/session.h"

namespace hikyaku::smtpc {

struct LoginRefusal {
  mail::Failure failure;
  // The peer hung up after a refused mechanism, and another is left: dial again.
  bool try_again_at_once = false;
};

// Nothing to do is success. Notes in the session and in its memory what worked.
Task<Result<void, LoginRefusal>> log_in(Session& session);

}  // namespace hikyaku::smtpc
