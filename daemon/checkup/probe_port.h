// SPDX-License-Identifier: MIT
// Finds out how one port of a host speaks, by its behaviour and not by its number: TLS from the first byte, or
// SMTP in clear with STARTTLS or without; what it offers before and after TLS, and what its certificate is worth.
// Logs in nowhere and sends no mail. Certificates are looked at and judged, never refused, for the one who asks
// wants to know; nothing secret is sent. Each wait is bounded by ProbeTimes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "daemon/io/loop.h"
#include "daemon/io/stream.h"
#include "daemon/mail/failure.h"
#include "smtpc/connector.h"
#include "smtpc/session.h"

namespace hikyaku::checkup {

// Short, because somebody is waiting at a terminal.
struct ProbeTimes {
  Duration look_up = 10s;  // of records
  Duration connect = 5s;   // each address
  Duration dial = 15s;     // all addresses of a host, with their look-up
  Duration first_byte = 15s;
  Duration silence = 3s;  // before a second connection tries whether a silent port speaks TLS
  Duration reply = 15s;   // to a command; a TLS handshake
};

// How to dial. The references outlive the probe.
struct ProbeDialling {
  io::Loop& loop;
  smtpc::Connector& connector;
  std::string ehlo_name;
  std::string ca_file = {};  // empty: the system's
  ProbeTimes times = {};
  io::Cancel* cancel = nullptr;
};

enum class Opening : std::uint8_t {
  none,      // no SMTP was heard
  implicit,  // TLS from the first byte
  starttls,  // SMTP in clear, which offers STARTTLS
  clear,     // SMTP in clear alone
};
std::string_view to_text(Opening opening);

struct PortFinding {
  std::uint16_t port = 0;
  Opening opening = Opening::none;
  std::optional<mail::Failure> trouble = {};  // why the port cannot be used like that
  std::string address = {};                   // "192.0.2.1:465"; empty: no connection
  std::string greeting = {};                  // as the peer wrote it; empty: none was heard
  mail::Capabilities in_clear = {};
  mail::Capabilities in_tls = {};
  std::optional<io::TlsInfo> tls = {};  // after a handshake, with the certificate
  Duration round_trip{0};               // of one command; 0: none was answered

  bool is_encrypted() const { return tls.has_value(); }
  // What counts for a client that uses the port as it should be used.
  const mail::Capabilities& offer() const { return tls ? in_tls : in_clear; }
};

Task<PortFinding> probe_port(ProbeDialling with, std::string host, std::uint16_t port);

// What the probe's connections have in common. The host with the probe's certificates and times, and settings that
// are else as by default:
mail::Smarthost probed_smarthost(const ProbeDialling& with, const std::string& host, std::uint16_t port);
// A session with it, over `tls`; all that is referred to outlives the session.
smtpc::ClientContext probing_context(const ProbeDialling& with, const mail::Smarthost& smarthost,
                                     smtpc::PeerKnowledge& knowledge, std::shared_ptr<io::TlsClient> tls);
// Says QUIT, unless the exchange is broken, and waits a moment for the answer.
Task<void> say_farewell(smtpc::Session& session);

}  // namespace hikyaku::checkup
