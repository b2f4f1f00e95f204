// SPDX-License-Identifier: MIT
#include "daemon/checkup/certificate_text.h"

#include "daemon/base/text.h"
#include "daemon/mail/diagnosis_words.h"

namespace hikyaku::checkup {
namespace {

constexpr std::size_t kLongestName = 200;

std::string date(const std::optional<WallTime>& time) {
  return time ? to_rfc3339(*time).substr(0, 10) : "a date that cannot be read";
}

std::string days(std::chrono::days count) {
  return cat(std::to_string(count.count()), count.count() == 1 ? " day" : " days");
}

// "valid from 2026-09-01 to 2026-11-30 (1 day left)"
std::string validity(const ChainLink& link, WallTime now) {
  std::string text = cat("valid from ", date(link.not_before), " to ", date(link.not_after));
  if (!link.not_after) return text;
  const auto left = std::chrono::floor<std::chrono::days>(*link.not_after - now);
  if (*link.not_after <= now) return cat(text, " (expired)");
  if (link.not_before && *link.not_before > now) return cat(text, " (not valid yet)");
  return cat(text, " (", left == std::chrono::days(0) ? "less than a day" : days(left), " left)");
}

std::string shown(std::string_view name) { return printable(name, kLongestName); }

std::string link_line(const ChainLink& link, WallTime now) {
  const bool is_root = link.subject == link.issuer;
  return cat(shown(link.subject), is_root ? ", issued by itself" : cat(", issued by ", shown(link.issuer)),
             ", ", validity(link, now));
}

JsonObject link_json(const ChainLink& link) {
  return JsonObject()
      .add("subject", link.subject)
      .add("issuer", link.issuer)
      .add("not_before", link.not_before)
      .add("not_after", link.not_after);
}

bool ends_soon(const ChainLink& link, WallTime now) {
  return link.not_after && *link.not_after < now + kEndsSoon;
}

}  // namespace

std::vector<std::string> certificate_lines(const CertificateFacts& certificate, WallTime now) {
  const std::string names = mail::names_of(certificate);
  std::vector<std::string> lines{cat("certificate for ", names.empty() ? "no host name" : names)};
  for (const ChainLink& link : certificate.chain) lines.push_back(link_line(link, now));
  lines.push_back(cat("fingerprint ", certificate.fingerprint));
  return lines;
}

JsonObject certificate_json(const CertificateFacts& certificate) {
  JsonList chain;
  for (const ChainLink& link : certificate.chain) chain.add(link_json(link));
  return JsonObject()
      .add("names", JsonList(certificate.names))
      .add("more_names", certificate.more_names)
      .add("fingerprint", certificate.fingerprint)
      .add("chain", chain);
}

const ChainLink* link_that_ends_soon(const CertificateFacts& certificate, WallTime now) {
  const ChainLink* first = nullptr;
  for (const ChainLink& link : certificate.chain)
    if (ends_soon(link, now) && (first == nullptr || *link.not_after < *first->not_after)) first = &link;
  return first;
}

std::string_view words_for_fault(IoErrorKind fault) {
  switch (fault) {
    case IoErrorKind::tls_expired: return "has expired";
    case IoErrorKind::tls_not_yet_valid: return "is not valid yet";
    case IoErrorKind::tls_self_signed: return "is self-signed";
    case IoErrorKind::tls_unknown_issuer: return "comes from an issuer that this machine does not know";
    case IoErrorKind::tls_wrong_name: return "is for another name";
    case IoErrorKind::tls_pin_mismatch: return "is not the one that is pinned";
    case IoErrorKind::tls_weak_key: return "has too small a key";
    case IoErrorKind::tls_weak_signature: return "has too weak a signature";
    default: return "cannot be verified";
  }
}

}  // namespace hikyaku::checkup
