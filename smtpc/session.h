// SPDX-License-Identifier: MIT
// One connection to a smarthost as the parts of the client share it: the exchange, and what is known so far.
// Owned by Client; the parts (opening, login, transaction) are functions over it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "daemon/io/tls.h"
#include "daemon/mail/smarthost.h"
#include "daemon/mail/smtp_reply.h"
#include "smtpc/connector.h"
#include "smtpc/exchange.h"
#include "smtpc/memory.h"
#include "smtpc/verdict.h"

namespace hikyaku::smtpc {

// What a client works with. What is referred to outlives it.
struct ClientContext {
  io::Loop& loop;
  const mail::Smarthost& smarthost;
  Connector& connector;                // for the side probe (opening.h)
  PeerMemory& memory;                  // shared by the connections of a lane
  std::shared_ptr<io::TlsClient> tls;  // none only with TlsMode::none
  std::string ehlo_name;
  std::string instance_token;              // a greeting that carries it is our own; empty: none
  io::Cancel* cancel = nullptr;            // ends every wait
  std::function<void()> on_greeting = {};  // the peer is ready for us; may be empty
};

struct Session {
  Session(ClientContext with, io::StreamPtr stream);

  // Failures with everything filled in that is known of configuration and connection.
  mail::Failure failure(mail::Stage stage, mail::FailureKind kind) const;
  mail::Failure failure(mail::Stage stage, const IoError& error) const;
  mail::Failure failure(mail::Stage stage, const ExchangeError& error) const;
  // With the verdict for what has no reply.
  Refusal refusal(mail::Failure failure) const;
  // What a reply means at a stage; nothing: go on.
  std::optional<Refusal> judge(mail::Stage stage, const mail::Reply& reply, bool proven = false) const;
  bool is_encrypted() const;
  // Whether several commands may travel together: offered, and never yet answered out of step.
  bool pipelines() const { return capabilities.pipelining && !context.memory.plain_dialogue; }
  // Whether a mail travels as one chunk (RFC 3030), in one write with its envelope.
  bool chunks() const { return pipelines() && capabilities.chunking; }
  bool is_logged_in() const { return !mechanism.empty(); }

  ClientContext context;
  Exchange exchange;
  mail::Capabilities capabilities;
  std::string address;            // "192.0.2.1:587", or empty
  std::string mechanism;          // logged in with; empty: not logged in
  bool open_transaction = false;  // RSET before the next MAIL

 private:
  void add_facts(mail::Failure& failure) const;
};

}  // namespace hikyaku::smtpc
