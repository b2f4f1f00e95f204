// SPDX-License-Identifier: MIT
// The dialogue of logging in (RFC 4954). A refused log-in is the smarthost's failure, never the mail's;
// no mail is sent without the log-in that was configured. What is sent here is wiped after use and never part
// of a failure.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/error.h"
#include "daemon/base/secret.h"
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

// Succeeds if there is nothing to do; by a token where the smarthost has `oauth`. Notes in the session and in
// its memory which mechanism worked.
Task<Result<void, LoginRefusal>> log_in(Session& session);

// Logging in with an access token instead of a password: OAUTHBEARER (RFC 7628) and XOAUTH2. Used where the
// smarthost has `oauth`, and then alone: a token is no password, so no other mechanism ever sees it. AUTH
// always takes two steps, since tokens of 4 KB do not fit into a command line (RFC 4954 4). After a refusal
// the token is made anew once, and tried once more. The token leaves encrypted connections only, and is
// masked in whatever the peer says afterwards.

// What the client says after the server's empty challenge, before Base64. Pure, like the others here.
Secret bearer_response(std::string_view mechanism, const mail::Smarthost& smarthost, const Secret& token);
// The scope that the refusal in a challenge of JSON asks for, printable; empty if it names none. Any bytes.
std::string scope_of_refusal(std::string_view challenge);
// Those of OAUTHBEARER and XOAUTH2 that are offered and that the configuration allows, the better one first.
std::vector<std::string> token_mechanisms(const mail::Smarthost& smarthost,
                                          const mail::Capabilities& capabilities);

// The smarthost has `oauth`. Notes in the session which mechanism worked.
Task<Result<void, LoginRefusal>> log_in_with_token(Session& session);

}  // namespace hikyaku::smtpc
