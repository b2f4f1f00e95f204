// SPDX-License-Identifier: MIT
// Which mechanisms a log-in tries, in which order and how often. Decided here so that a wrong password costs
// few attempts and no account is locked by us, and that no password leaves in clear text unless the
// configuration allows it. Pure.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "daemon/base/error.h"
#include "daemon/mail/ehlo.h"
#include "daemon/mail/failure.h"
#include "smtpc/memory.h"

namespace hikyaku::smtpc {

// Whether this smarthost is to be logged in to at all.
bool wants_login(const mail::Smarthost& smarthost);

// Which of the things that a mechanism needs left none.
struct NoMechanism {
  mail::FailureKind kind;
  std::string mechanism;  // the one whose plug-in is missing
};
// What may be tried, in order: asked for, offered, allowed on this connection, and there as a plug-in
// (`available`).
Result<std::vector<std::string>, NoMechanism> usable_mechanisms(const mail::Smarthost& smarthost,
                                                                const mail::Capabilities& capabilities,
                                                                bool encrypted,
                                                                const std::set<std::string>& available);

// What of it this connection tries, given what earlier ones have learnt.
std::vector<std::string> mechanisms_to_try(const std::vector<std::string>& usable, const LoginMemory& memory);
void note_success(LoginMemory& memory, const std::string& mechanism);
void note_refusal(LoginMemory& memory, const std::string& mechanism, const std::vector<std::string>& usable);

}  // namespace hikyaku::smtpc
