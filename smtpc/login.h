// SPDX-License-Identifier: MIT
// Logging in (RFC 4954). Which mechanisms are tried, in which order and how often is decided here, so that a
// wrong password costs few attempts and no account is locked by us; that no password leaves in clear text
// unless the configuration allows it, too. A refused log-in is the smarthost's failure, never the mail's.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "daemon/mail/ehlo.h"
#include "daemon/mail/failure.h"
#include "smtpc/session.h"

namespace hikyaku::smtpc {

// Whether this smarthost is to be logged in to at all.
bool wants_login(const mail::Smarthost& smarthost);

// What may be tried, in order: asked for, offered, allowed on this connection, and there as a plug-in
// (`available`). The failure kind says which of these left nothing.
struct NoMechanism {
  mail::FailureKind kind;
  std::string mechanism;  // the one whose plug-in is missing
};
Result<std::vector<std::string>, NoMechanism> usable_mechanisms(const mail::Smarthost& smarthost,
                                                                const mail::Capabilities& capabilities,
                                                                bool encrypted,
                                                                const std::set<std::string>& available);

// What of it this connection tries, given what earlier ones have learnt.
std::vector<std::string> mechanisms_to_try(const std::vector<std::string>& usable, const LoginMemory& memory);
void note_success(LoginMemory& memory, const std::string& mechanism);
void note_refusal(LoginMemory& memory, const std::string& mechanism, const std::vector<std::string>& usable);

struct LoginRefusal {
  mail::Failure failure;
  bool try_again_at_once =
      false;  // the peer hung up after a refused mechanism, and another is left: dial again
};
// Nothing to do is success. Notes in the session and its memory what worked.
Task<Result<void, LoginRefusal>> log_in(Session& session);

}  // namespace hikyaku::smtpc
