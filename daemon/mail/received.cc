// SPDX-License-Identifier: MIT
#include "daemon/mail/received.h"

#include <algorithm>

#include "daemon/base/text.h"
#include "daemon/mail/address.h"

namespace hikyaku::mail {
namespace {

constexpr std::string_view kFold = "\r\n\t";
constexpr std::string_view kFieldBegin = "Received: ";
constexpr std::string_view kLocalhost = "from localhost";
constexpr std::string_view kBetween = " (hikyaku) with ";
constexpr std::string_view kOfAccounts = "._-$@+";
constexpr std::size_t kLongestAccount = 64;

std::string address_literal(const IpAddress& address) {
  return cat(address.is_v6() ? "[IPv6:" : "[", address.to_text(), "]");
}

// Anything but a name or a literal could end the comment, the field or the header, or forge another hop.
std::string client_name(const ReceivedFacts& facts, std::string_view instead) {
  bool safe = is_domain(facts.helo, facts.traits.smtputf8) || is_address_literal(facts.helo);
  return std::string(safe && is_valid_utf8(facts.helo) ? facts.helo : instead);
}

// User databases allow names that would end a comment; such a name is left out.
bool is_plain(std::string_view account) {
  return !account.empty() && account.size() <= kLongestAccount && std::ranges::all_of(account, [](char c) {
    return is_alpha(c) || is_digit(c) || kOfAccounts.contains(c);
  });
}

std::string submitter(const ReceivedFacts& facts) {
  if (!facts.uid) return {};
  std::string name = is_plain(facts.account) ? cat(", ", facts.account) : std::string();
  return cat(" (from userid ", std::to_string(*facts.uid), name, ")");
}

std::string from_clause(const ReceivedFacts& facts) {
  if (!facts.client) return cat(kLocalhost, submitter(facts));
  std::string literal = address_literal(*facts.client);
  return cat("from ", client_name(facts, literal), " (", literal, ")");
}

std::string for_clause(const ReceivedFacts& facts) {
  if (facts.only_recipient.empty()) return {};
  return cat(kFold, "for <", facts.only_recipient, ">");
}

constexpr std::string_view kLastResort = "hikyaku.invalid";  // RFC 2606: belongs to nobody

bool is_below(std::string_view domain, std::string_view top) {
  std::string lower = to_lower(domain);
  return lower == top || lower.ends_with(cat(".", top));
}

bool is_fit(std::string_view domain) {
  return is_domain(domain) && !is_below(domain, "localhost") && !is_below(domain, "localdomain");
}

// "20261122031404"
std::string digits_of(WallTime now) {
  std::string time = to_rfc3339(now);
  std::erase_if(time, [](char c) { return !is_digit(c); });
  return time;
}

}  // namespace

std::string_view with_protocol(const SessionTraits& traits) {
  if (!traits.esmtp) return "SMTP";
  if (traits.smtputf8 && traits.tls) return traits.authenticated ? "UTF8SMTPSA" : "UTF8SMTPS";
  if (traits.smtputf8) return traits.authenticated ? "UTF8SMTPA" : "UTF8SMTP";
  if (traits.tls) return traits.authenticated ? "ESMTPSA" : "ESMTPS";
  return traits.authenticated ? "ESMTPA" : "ESMTP";
}

std::string received_field(const ReceivedFacts& facts) {
  return cat(kFieldBegin, from_clause(facts), kFold, "by ", facts.hostname, kBetween,
             with_protocol(facts.traits), " id ", facts.id, for_clause(facts), ";", kFold,
             to_rfc5322_date(facts.now), "\r\n");
}

std::optional<std::string> without_client(std::string_view field) {
  const std::string_view rest = field.substr(std::min(field.find(kFold), field.size()));
  const bool is_ours = field.starts_with(cat(kFieldBegin, "from ")) && rest.starts_with(cat(kFold, "by ")) &&
                       rest.find(kBetween) < rest.find(kFold, 1);
  return is_ours ? std::optional(cat(kFieldBegin, kLocalhost, rest)) : std::nullopt;
}

std::string make_message_id(WallTime now, std::string_view random, std::string_view domain,
                            std::string_view fallback) {
  std::string_view right = is_fit(domain) ? domain : is_fit(fallback) ? fallback : kLastResort;
  return cat("<", digits_of(now), ".", random, "@", right, ">");
}

}  // namespace hikyaku::mail
