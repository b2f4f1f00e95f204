// SPDX-License-Identifier: MIT
#include "daemon/dkim/key_record.h"

#include <algorithm>
#include <optional>

#include "daemon/base/base64.h"
#include "daemon/base/text.h"
#include "daemon/dkim/tags.h"

namespace hikyaku::dkim {
namespace {

constexpr std::size_t kLongestString = 255;  // RFC 1035 3.3
constexpr std::string_view kVersion = "DKIM1";
constexpr std::size_t kLeastRsa = 100;  // bytes of a key in any form

bool is_among(std::string_view word, std::string_view colon_separated) {
  return std::ranges::any_of(colon_list(colon_separated),
                             [word](const std::string& each) { return each == "*" || each == word; });
}

// Some publish an RSA key without its wrapping, which is what the RFC's text asks for; receivers take both.
bool is_key(const std::string& bytes, const SigningKey& key) {
  const std::string ours = key.public_key();
  if (bytes == ours) return true;
  return key.kind() == KeyKind::rsa && bytes.size() > kLeastRsa && ours.ends_with(bytes);
}

RecordFault fault_of(const Tags& tags, const SigningKey& key) {
  if (tags.find("v").value_or(kVersion) != kVersion || (tags.find("v") && tags.first_name() != "v"))
    return RecordFault::unreadable;
  if (!tags.find("p")) return RecordFault::unreadable;
  const std::string written = without_blanks(*tags.find("p"));
  if (written.empty()) return RecordFault::revoked;
  if (!equals_ignoring_case(tags.find("k").value_or("rsa"), name_of(key.kind())))
    return RecordFault::other_kind;
  const auto bytes = from_base64(written);
  if (!bytes || !is_key(*bytes, key)) return RecordFault::other_key;
  if (!is_among("sha256", tags.find("h").value_or("*"))) return RecordFault::other_hash;
  if (!is_among("email", tags.find("s").value_or("*"))) return RecordFault::other_service;
  return RecordFault::none;
}

std::string words_for(RecordFault fault) {
  switch (fault) {
    case RecordFault::none: return "is there and has this key";
    case RecordFault::missing: return "does not exist; publish it";
    case RecordFault::several:
      return "is there several times, and receivers may take any of them; leave one, with this key";
    case RecordFault::unreadable:
      return "is no DKIM record, which begins with v=DKIM1 and has a p=; replace it";
    case RecordFault::revoked:
      return "says that the key is revoked (p= is empty); replace it, or make another key";
    case RecordFault::other_key:
      return "has another key; replace it: if it was cut while it was pasted, use the form in several "
             "strings";
    case RecordFault::other_kind: return "says in k= that the key is of another kind; replace it";
    case RecordFault::other_hash: return "does not allow sha256 in h=; remove the h= from it";
    case RecordFault::other_service: break;
  }
  return "does not allow mail in s=; remove the s= from it";
}

}  // namespace

std::string record_name(std::string_view domain, std::string_view selector) {
  return cat(selector, "._domainkey.", domain);
}

std::string record_text(const SigningKey& key) {
  return cat("v=", kVersion, "; k=", name_of(key.kind()), "; p=", to_base64(key.public_key()));
}

std::string in_strings(std::string_view text) {
  std::vector<std::string> strings;
  for (std::size_t at = 0; at < text.size(); at += kLongestString)
    strings.push_back(cat("\"", text.substr(at, kLongestString), "\""));
  return join(strings, " ");
}

std::string zone_line(std::string_view name, std::string_view text) {
  return cat(name, ". IN TXT ( ", in_strings(text), " )");
}

std::string nsupdate_line(std::string_view name, std::string_view text) {
  return cat("update add ", name, ". 3600 IN TXT ", in_strings(text));
}

std::string_view name_of(RecordFault fault) {
  switch (fault) {
    case RecordFault::none: return "none";
    case RecordFault::missing: return "missing";
    case RecordFault::several: return "several";
    case RecordFault::unreadable: return "unreadable";
    case RecordFault::revoked: return "revoked";
    case RecordFault::other_key: return "other_key";
    case RecordFault::other_kind: return "other_kind";
    case RecordFault::other_hash: return "other_hash";
    case RecordFault::other_service: break;
  }
  return "other_service";
}

RecordFinding judge_record(const std::vector<std::string>& texts, const SigningKey& key) {
  if (texts.empty()) return {RecordFault::missing};
  if (texts.size() > 1) return {RecordFault::several};
  const auto tags = Tags::parse(texts.front());
  if (!tags) return {RecordFault::unreadable};
  return {fault_of(*tags, key), is_among("y", tags->find("t").value_or("s"))};
}

std::string to_text(const RecordFinding& finding, std::string_view name) {
  std::string text = cat("the record ", name, " ", words_for(finding.fault));
  if (finding.fault == RecordFault::none && finding.is_test)
    text += ", but says that it is a test (t=y), so that signatures count for nothing; remove the t=y";
  return text;
}

}  // namespace hikyaku::dkim
