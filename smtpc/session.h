// SPDX-License-Identifier: MIT
// One connection to a smarthost as the parts of the client share it: the exchange, what is known so far, and
// what the connections of a lane learn from each other.
// Owned by Client; the parts (opening, login, transaction) are functions over it.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "daemon/base/secret.h"
#include "daemon/dkim/key_ring.h"
#include "daemon/io/tls.h"
#include "daemon/mail/smarthost.h"
#include "daemon/mail/smtp_reply.h"
#include "smtpc/connector.h"
#include "smtpc/exchange.h"
#include "smtpc/token_source.h"
#include "smtpc/verdict.h"

namespace hikyaku::smtpc {

// Which mechanism works with the credentials. While none has ever worked, they are tried one after the other,
// in one connection or over several (some servers hang up after a refusal); once all were refused, each
// connection makes one log-in with one mechanism, in turn.
struct LoginKnowledge {
  std::string worked;             // the mechanism that logged in last; empty if none ever has
  std::set<std::string> refused;  // since then; not tried again in this round
  bool none_works = false;        // each was refused
  std::size_t turn = 0;           // which mechanism is next then
};

// What the connections to one smarthost learn about it and share. Owned by the lane; made anew when the
// configuration or the credentials change.
struct PeerKnowledge {
  LoginKnowledge login;
  bool plain_dialogue = false;  // the smarthost fails with pipelining
  unsigned hang_ups = 0;        // in a row, without a reply to commands that travelled with a final dot
  unsigned redials = 0;         // in a row, because another server of the domain may do better
  std::vector<Secret> shown_tokens{};  // the latest, newest last: the smarthost may repeat them

  // Once may be chance. If it happens again before any mail gets through this way, the pipelined commands are
  // the reason.
  void note_hang_up() {
    if (++hang_ups >= 2) plain_dialogue = true;
  }
};

inline constexpr Duration kSilenceBeforeProbe = 10s;

// Hears what a session reaches while it is opened: the lane of the greeting, `hikyaku check` and `hikyaku
// probe` of everything.
class OpeningObserver {
 public:
  virtual ~OpeningObserver() = default;
  virtual void greeted(const mail::Reply& /*greeting*/) {}
  virtual void encrypted(const io::TlsInfo& /*tls*/) {}
  // After each EHLO, or HELO; with STARTTLS there are two.
  virtual void introduced(const mail::Capabilities& /*offered*/) {}
};

// What a client works with. All references outlive the client.
struct ClientContext {
  io::Loop& loop;
  const mail::Smarthost& smarthost;
  Connector& connector;                // for the side probe (opening.h)
  PeerKnowledge& knowledge;            // shared by the connections of a lane
  std::shared_ptr<io::TlsClient> tls;  // none only with TlsMode::none
  std::string ehlo_name;
  std::string instance_token;           // a greeting that carries it is our own; empty: none
  io::Cancel* cancel = nullptr;         // ends every wait
  OpeningObserver* observer = nullptr;  // may be null
  const dkim::KeyRing* keys = nullptr;  // that sign; none where mail leaves unsigned
  TokenSource* tokens = nullptr;        // null only without `oauth`
  bool hands_over = false;              // LaneOptions
  // How long a port may be silent before a second connection looks for TLS there (opening.h).
  Duration silence_before_probe = kSilenceBeforeProbe;
};

struct Session {
  Session(ClientContext with, io::StreamPtr stream);

  // A failure with all that is known of configuration and connection filled in.
  mail::Failure failure(mail::Stage stage, mail::FailureKind kind) const;
  mail::Failure failure(mail::Stage stage, const IoError& error) const;
  mail::Failure failure(mail::Stage stage, const ExchangeError& error) const;
  // The failure with the verdict for a failure without a reply.
  Refusal refusal(mail::Failure failure) const;
  // The refusal that a reply at this stage means; nullopt if it is none.
  std::optional<Refusal> judge(mail::Stage stage, const mail::Reply& reply, bool proven = false) const;
  bool is_encrypted() const;
  // Whether several commands may travel together: offered, and never yet answered out of step.
  bool pipelines() const { return capabilities.pipelining && !context.knowledge.plain_dialogue; }
  // Whether a mail travels as one chunk (RFC 3030), in one write with its envelope.
  bool chunks() const { return pipelines() && capabilities.chunking; }
  bool is_logged_in() const { return !mechanism.empty(); }
  bool is_direct() const { return context.smarthost.direct; }

  ClientContext context;
  Exchange exchange;
  mail::Capabilities capabilities;
  std::string address;            // "192.0.2.1:587", or empty
  std::string peer_name;          // of a server of the recipients' domain, or of one found by MX; else empty
  std::string mechanism;          // logged in with; empty: not logged in
  bool open_transaction = false;  // RSET before the next MAIL

 private:
  void add_facts(mail::Failure& failure) const;
};

}  // namespace hikyaku::smtpc
