// SPDX-License-Identifier: MIT
// A session's options as plain values: names, limits, deadlines, features. A reload makes new ones; sessions
// keep those that they began with. Sizes are bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/bytes.h"
#include "daemon/base/clock.h"
#include "daemon/base/defaults.h"
#include "daemon/base/ip.h"
#include "daemon/base/secret.h"
#include "daemon/mail/address_pattern.h"
#include "daemon/mail/masquerade.h"
#include "smtpd/replies.h"

namespace hikyaku::io {
class TlsServer;
}

namespace hikyaku::smtpd {

class Submitters;

struct Deadlines {
  Duration command = 5min;     // for a whole line (RFC 5321 4.5.3.2.7), not for each byte of it
  Duration crowded = 10s;      // the same while connections are short (Stop::is_crowded)
  Duration data_block = 3min;  // for the next piece of content (4.5.3.2.5)
  Duration write = 5min;       // for the client to take our replies
  Duration handshake = 1min;   // TLS
  Duration proxy = 10s;        // for a proxy to say who the client is
  Duration submitter = 10s;    // for the user database to look a uid up
  Duration unasked = 1s;       // behind a refused DATA: how long content must not come before our 354
  Duration farewell = 2s;      // how long a client may go on writing after 221 or 421 without getting an RST
};

struct Limits {
  std::uint64_t max_size = defaults::kMaxSize.bytes;  // of a message's content
  std::size_t max_recipients = defaults::kMaxRecipients;
  unsigned max_hops = defaults::kMaxHops;  // Received fields that a message may come with
  std::size_t errors = 50;                 // 5yz replies without an accepted message between them
  std::size_t commands = 1000;             // without one, RCPT and filled BDATs not counted
  std::size_t command_line = 2048;         // 500 5.5.2 beyond
  std::size_t skipped_line = 128 * 1024;   // 421 beyond
  std::size_t auth_line = 12288;           // RFC 4954 4.3
  std::uint64_t min_data_rate = 1024;      // bytes a second on average, once data_block has passed
  std::size_t farewell = 64 * 1024;
};

struct AuthOptions {
  std::vector<std::string> mechanisms = {"PLAIN", "LOGIN", "CRAM-MD5"};  // upper case, in the order offered
  bool needs_tls = true;
  bool trusts_loopback = false;  // needs_tls does not count for clients of this machine
  bool required = false;         // 530 5.7.0 to MAIL before it
  // Every log-in is right and means nothing; `user` is what it is called, and nothing that came is kept.
  bool takes_any = false;
  std::string user;
  Secret password;
};

enum class Stage : std::uint8_t { mail, rcpt, data, message };

struct SessionOptions {
  std::string hostname;  // in greeting, EHLO reply and Received
  std::string domain;    // added to addresses without one, and of Message-IDs
  std::string token;     // this instance's, in the greeting
  Deadlines deadlines;
  Limits limits;
  mail::AddressPatterns senders{mail::AddressPattern::all()};  // who may be a sender; <> always may
  mail::Masquerade masquerade;
  std::vector<Network> peers;  // other hikyakus: what they hand over keeps its time (daemon/mail/handover.h)
  std::optional<WallTime> written;   // when the message was, if it has waited since: for its Date
  Submitters* submitters = nullptr;  // outlives the sessions; without it local users have uids alone

  std::shared_ptr<io::TlsServer> starttls;
  std::optional<AuthOptions> auth;
  // For `hikyaku sink` only; the relay refuses nothing by itself.
  // A reply here is given instead of the good one that was due: to MAIL and RCPT (`subject` is the address),
  // to DATA, and at the end of a message, which is then dropped.
  std::function<std::optional<Reply>(Stage, std::string_view subject)> refuse;
};

using SessionOptionsPtr = std::shared_ptr<const SessionOptions>;

}  // namespace hikyaku::smtpd
