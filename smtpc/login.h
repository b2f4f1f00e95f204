// SPDX-License-Identifier: MIT
// The dialogue of logging in (RFC 4954). A refused log-in is the smarthost's failure, never the mail's;
// no mail is sent without the log-in that was configured. What is sent here is wiped after use and never part
// of a failure.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "daemon/base/error.h"
#include "daemon/mail/failure.h"
#include "daemon/mail/smtp_reply.h"
#include "smtpc/session.h"

namespace hikyaku::smtpc {

// Which mechanisms a log-in tries, in which order and how often. Decided here so that a wrong password costs
// few attempts and does not lock the account, and that no password leaves in clear text unless the
// configuration allows it. Pure.

// Whether this smarthost is to be logged in to at all.
bool wants_login(const mail::Smarthost& smarthost);

// Why no mechanism is left.
struct NoMechanism {
  mail::FailureKind kind;
  std::string mechanism;  // the one whose plug-in is missing
};
// The mechanisms that may be tried, in order: configured, offered, allowed on this connection, and installed
// as a plug-in (`available`).
Result<std::vector<std::string>, NoMechanism> usable_mechanisms(const mail::Smarthost& smarthost,
                                                                const mail::Capabilities& capabilities,
                                                                bool encrypted,
                                                                const std::set<std::string>& available);

// The mechanisms that this connection tries, given what earlier ones have learnt.
std::vector<std::string> mechanisms_to_try(const std::vector<std::string>& usable,
                                           const LoginKnowledge& memory);
void note_success(LoginKnowledge& memory, const std::string& mechanism);
void note_refusal(LoginKnowledge& memory, const std::string& mechanism,
                  const std::vector<std::string>& usable);

struct LoginRefusal {
  mail::Failure failure;
  // The peer hung up after a refused mechanism, and another is left: dial again.
  bool try_again_at_once = false;
};

// Succeeds if there is nothing to do. Notes in the session and in its memory which mechanism worked.
Task<Result<void, LoginRefusal>> log_in(Session& session);

}  // namespace hikyaku::smtpc
