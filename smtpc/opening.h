// SPDX-License-Identifier: MIT
// From the connection to a session that may log in: TLS from the first byte or by STARTTLS as configured,
// greeting, EHLO. Whatever goes wrong here is the smarthost's failure, never the mail's. Never falls back to
// clear text on the same connection; in direct delivery the next connection may (Connector::avoids_tls()).
#pragma once

#include "daemon/mail/smarthost.h"
#include "smtpc/connector.h"
#include "smtpc/exchange.h"
#include "smtpc/session.h"

namespace hikyaku::smtpc {

Task<Result<void, Refusal>> open_session(Session& session);

// TLS as the smarthost's settings want it; null with TlsMode::none. `describe`: what is said of an accepted
// certificate is kept. Errors: tls_setup.
Result<std::shared_ptr<io::TlsClient>, IoError> make_tls_client(const mail::Smarthost& smarthost,
                                                                bool describe = false);

// Waiting for a greeting, with a probe: a client that waits for a greeting on a port where TLS is expected
// from the first byte waits in vain, since the server waits too. So after some seconds of silence a second
// connection sends a TLS hello. An answer in TLS ends the wait with the right diagnosis; after anything else
// the wait goes on.

inline constexpr Duration kProbeTimeout = 15s;  // connecting and the answer

// Whether a silent port is worth a probe: 25 is served in clear text, as the recipients' own servers are, and
// with implicit TLS there is nothing to find out.
bool may_probe(const mail::Smarthost& smarthost);

// Waits for the greeting's first bytes. `tls_expected` is returned without them.
enum class Greeting { begun, tls_expected };
Task<Result<Greeting, IoError>> wait_for_greeting(const ClientContext& context, Exchange& exchange,
                                                  io::Until until);

// Opens another connection, and returns whether the answer to a TLS hello is TLS.
Task<bool> answers_in_tls(Connector& connector, const mail::Smarthost& smarthost, io::Until until);

}  // namespace hikyaku::smtpc
