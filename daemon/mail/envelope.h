// SPDX-License-Identifier: MIT
// The envelope of a message: sender, recipients, and the notices that the sender wants (RFC 3461). Plain
// values that have been checked: no address or parameter contains CR, LF, NUL or other controls.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/json.h"

namespace hikyaku::mail {

// RFC 3461 4.1. If no member is set, the parameter was absent, which means: report failures.
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
      address;  // "user@example.com": no angle brackets, always a domain; quoted local parts as received
  Notify notify;
  std::string orcpt;  // decoded "rfc822;user@example.com", or empty
  // It came as a name without a domain: a user of this machine is meant, if there is one. Not kept in the spool.
  bool is_bare = false;
  bool operator==(const Recipient&) const = default;
};

// The memory in bytes that a text, a recipient and an envelope take, allocation included.
inline std::uint64_t memory_of(const std::string& text) {
  constexpr std::size_t kInside = 15, kAllocation = 24;  // inside std::string; overhead of malloc
  return text.capacity() > kInside ? text.capacity() + kAllocation : 0;
}
// A vector that grows by doubling has up to twice the capacity.
inline std::uint64_t memory_of(const Recipient& recipient) {
  return 2 * sizeof(Recipient) + memory_of(recipient.address) + memory_of(recipient.orcpt);
}

// Properties of the content, found when it was received, so that it need not be scanned again. False:
// unknown.
struct ContentTraits {
  bool is_seven_bit = false;     // no byte from 0x80
  bool has_no_dot_line = false;  // no line begins with a dot
  bool operator==(const ContentTraits&) const = default;
};

struct Envelope {
  std::string sender;  // like a recipient's address; empty is the null sender <>
  std::vector<Recipient> recipients;
  std::string envid;  // decoded (RFC 3461 4.4), or empty
  Ret ret = Ret::absent;
  Body body = Body::absent;
  bool smtputf8 = false;  // RFC 6531: the client said so
  std::optional<std::uint32_t>
      uid{};  // of the local submitter, from the kernel; nullopt: over TCP, or our own mail
  ContentTraits traits{};
  bool operator==(const Envelope&) const = default;
};

inline std::uint64_t memory_of(const Envelope& envelope) {
  std::uint64_t bytes = sizeof(Envelope) + memory_of(envelope.sender) + memory_of(envelope.envid);
  for (const Recipient& recipient : envelope.recipients) bytes += memory_of(recipient);
  return bytes;
}

// The envelope as JSON, for queue, export and sink alike (CONTROL.md). Pure.
// "notify" (RFC 3461's words in lower case), "orcpt".
JsonObject dsn_json(const Recipient& recipient);
// "ret", "envid", "body", "smtputf8", "uid".
JsonObject parameters_json(const Envelope& envelope);

}  // namespace hikyaku::mail
