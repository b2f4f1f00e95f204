// SPDX-License-Identifier: MIT
// The envelope of a message: who sent it, who shall get it, and what the sender wants to hear of it (RFC
// 3461). Plain values, already checked: no address or parameter here holds CR, LF, NUL or other controls.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/json.h"

namespace hikyaku::mail {

// RFC 3461 4.1. None of the three set and `never` false: the parameter was absent (report failures).
struct Notify {
  bool never = false;
  bool success = false;
  bool failure = false;
  bool delay = false;

  bool is_absent() const { return !never && !success && !failure && !delay; }
  bool wants_failure() const { return !never && (failure || is_absent()); }
  bool operator==(const Notify&) const = default;
};
// The value of NOTIFY=: "NEVER", or some of "SUCCESS,FAILURE,DELAY" in this order; empty if absent.
std::string to_text(const Notify& notify);
// Ignores case. Returns nullopt for an unknown or missing word, and for NEVER beside another word.
std::optional<Notify> parse_notify(std::string_view value);

enum class Ret : std::uint8_t { absent, full, headers };               // RFC 3461 4.3
enum class Body : std::uint8_t { absent, seven_bit, eight_bit_mime };  // RFC 6152

struct Recipient {
  std::string
      address;  // without angle brackets, with a domain: "user@example.com", quoted local parts as they came
  Notify notify;
  std::string orcpt;  // decoded "rfc822;user@example.com", or empty
  bool operator==(const Recipient&) const = default;
};

// Bytes that a text, a recipient and an envelope take in memory, allocation included.
inline std::uint64_t memory_of(const std::string& text) {
  constexpr std::size_t kInside = 15, kAllocation = 24;  // of std::string; of malloc, rounding included
  return text.capacity() > kInside ? text.capacity() + kAllocation : 0;
}
// A list that grows by doubling has up to two places for each.
inline std::uint64_t memory_of(const Recipient& recipient) {
  return 2 * sizeof(Recipient) + memory_of(recipient.address) + memory_of(recipient.orcpt);
}

// What was seen of the content when it came in, so that nobody has to look again. False: perhaps not.
struct ContentTraits {
  bool is_seven_bit = false;     // no byte from 0x80
  bool has_no_dot_line = false;  // no line begins with a dot
  bool operator==(const ContentTraits&) const = default;
};

struct Envelope {
  std::string sender;  // as a recipient's address; empty is the null sender <>
  std::vector<Recipient> recipients;
  std::string envid;  // decoded (RFC 3461 4.4), or empty
  Ret ret = Ret::absent;
  Body body = Body::absent;
  bool smtputf8 = false;               // RFC 6531: the client said so
  std::optional<std::uint32_t> uid{};  // who submitted it here, by the kernel's word; nothing: TCP, or us
  ContentTraits traits{};
  bool operator==(const Envelope&) const = default;
};

inline std::uint64_t memory_of(const Envelope& envelope) {
  std::uint64_t bytes = sizeof(Envelope) + memory_of(envelope.sender) + memory_of(envelope.envid);
  for (const Recipient& recipient : envelope.recipients) bytes += memory_of(recipient);
  return bytes;
}

// An envelope as JSON, the same wherever one is written (queue, export, sink): see CONTROL.md. Pure.

// "notify" (RFC 3461's words in lower case), "orcpt".
JsonObject dsn_json(const Recipient& recipient);
// "ret", "envid", "body", "smtputf8", "uid".
JsonObject parameters_json(const Envelope& envelope);

}  // namespace hikyaku::mail
