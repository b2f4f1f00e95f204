// SPDX-License-Identifier: MIT
// The fields that hikyaku adds to a message: Received (RFC 5321 4.4) and a missing Message-ID (RFC 5322
// 3.6.4). The HELO name is foreign and appears only if it is a domain or an address literal; else the
// client's address replaces it, so that nothing can be injected. Pure: time and randomness are arguments.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/clock.h"
#include "daemon/base/ip.h"

namespace hikyaku::mail {

struct SessionTraits {
  bool esmtp = false;  // greeted with EHLO
  bool tls = false;
  bool authenticated = false;
  bool smtputf8 = false;  // of the transaction
};
// SMTP, ESMTP, ESMTPS, ESMTPA, ESMTPSA (RFC 3848), UTF8SMTP, UTF8SMTPS, … (RFC 6531 4.3).
std::string_view with_protocol(const SessionTraits& traits);

struct ReceivedFacts {
  std::string_view helo;             // as received
  std::optional<IpAddress> client;   // nullopt: a Unix socket
  std::optional<std::uint32_t> uid;  // of the client on the Unix socket
  std::string_view account;          // that user's name, or empty
  std::string_view hostname;         // ours
  std::string_view id;               // the mail's id as text
  SessionTraits traits;
  std::string_view only_recipient;  // if there is exactly one; else empty, so that no Bcc is disclosed
  WallTime now;
};
// The whole field, folded, with its last CR LF.
std::string received_field(const ReceivedFacts& facts);
// The field without the client's name, address and user; "from localhost" stands there instead. nullopt if it
// does not have the form that received_field() gives it.
std::optional<std::string> without_client(std::string_view field);

// "<20261122031404.k3j4h5@example.com>". `random` is letters and digits (base/random.h). A `domain` that is
// empty, invalid, "localhost", or below it or "localdomain" is replaced by `fallback`, and that by
// "hikyaku.invalid" for the same reasons: an id that ends in @localhost is not unique and is penalised by
// spam filters.
std::string make_message_id(WallTime now, std::string_view random, std::string_view domain,
                            std::string_view fallback);

}  // namespace hikyaku::mail
