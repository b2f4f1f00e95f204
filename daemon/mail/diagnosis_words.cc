// SPDX-License-Identifier: MIT
#include "daemon/mail/diagnosis_words.h"

#include <array>

#include "daemon/base/ip.h"
#include "daemon/base/text.h"

namespace hikyaku::mail {
namespace {

using Facts = const Failure&;

std::string shown(std::string_view text, std::string_view otherwise = "?") {
  return text.empty() ? std::string(otherwise) : printable(text, 320);
}

std::string place(Facts f) {
  const bool needs_brackets = f.host.find(':') != f.host.npos;
  std::string text = needs_brackets ? cat("[", shown(f.host), "]") : shown(f.host);
  text += cat(":", std::to_string(f.port));
  return f.address.empty() || f.address == text ? text : cat(text, " [", shown(f.address), "]");
}

std::string_view name_of(TlsMode mode) {
  static constexpr std::array<std::string_view, 4> kNames{"none", "opportunistic", "starttls", "implicit"};
  return kNames.at(static_cast<std::size_t>(mode));
}

std::string_view package_of(std::string_view mechanism) {
  const bool is_kerberos = mechanism.starts_with("GS");  // GSSAPI, GS2-KRB5, GSS-SPNEGO
  return is_kerberos ? "libsasl2-modules-gssapi-mit" : "libsasl2-modules";
}

// In the largest fitting unit with one decimal, which is easier to read than "47185920 bytes".
std::string readable(std::uint64_t bytes) {
  if (bytes < 1024) return cat(std::to_string(bytes), " bytes");
  const bool is_big = bytes >= 1 << 20;
  const std::uint64_t tenths = bytes * 10 / (is_big ? 1 << 20 : 1 << 10);
  return cat(std::to_string(tenths / 10), ".", std::to_string(tenths % 10), is_big ? " MiB" : " KiB");
}

std::string_view words_for(Stage stage) {
  static constexpr std::array<std::string_view, 10> kWords{"name look-up",
                                                           "connecting",
                                                           "greeting",
                                                           "TLS",
                                                           "EHLO",
                                                           "log-in",
                                                           "sender, MAIL",
                                                           "recipient, RCPT",
                                                           "before the message, DATA",
                                                           "the message"};
  return kWords.at(static_cast<std::size_t>(stage));
}

// Bounds the bytes of the names that are shown.
constexpr std::size_t kMostNames = 300;

bool is_plain_name(std::string_view name) {
  return name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:*-_") ==
         name.npos;
}

std::string date_of(const std::optional<WallTime>& time) {
  return time ? to_rfc3339(*time) : "a date that cannot be read";
}

// A command with which the operator can look at the certificate independently.
std::string openssl_command(Facts f) {
  const std::string name = shown(f.tls_name, shown(f.host));
  const bool is_v6 = f.host.find(':') != f.host.npos;
  const bool is_starttls = f.tls == TlsMode::starttls || f.tls == TlsMode::opportunistic;
  return cat("openssl s_client -connect ", is_v6 ? cat("[", shown(f.host), "]") : shown(f.host), ":",
             std::to_string(f.port), is_starttls ? " -starttls smtp" : "",
             IpAddress::parse(name) ? cat(" -noservername -verify_ip ", name)
                                    : cat(" -servername ", name, " -verify_hostname ", name),
             " -showcerts </dev/null");
}

std::optional<std::string> value_of(std::string_view word, const CertificateFacts& certificate) {
  if (word == "names") return names_of(certificate);
  if (word == "common") return cat("\"", printable(certificate.common_name, 100), "\"");
  if (word == "issuer") return cat("\"", printable(certificate.issuer, 200), "\"");
  if (word == "faulty") return cat("\"", printable(certificate.faulty, 200), "\"");
  if (word == "pin") return cat("`tls_fingerprint: \"", certificate.fingerprint, "\"`");
  if (word == "from") return date_of(certificate.not_before);
  if (word == "until") return date_of(certificate.not_after);
  return {};
}

std::string_view title_of(OAuthProvider provider) {
  static constexpr std::array<std::string_view, 4> kTitles{"Google", "Microsoft", "Fastmail",
                                                           "the token endpoint"};
  return kTitles.at(static_cast<std::size_t>(provider));
}

std::optional<std::string> value_of(std::string_view word, const OAuthFacts& oauth) {
  if (word == "provider") return std::string(title_of(oauth.provider));
  if (word == "wanted") return shown(oauth.wanted_scope);
  if (word == "granted") return shown(oauth.granted_scope);
  if (word == "file") return shown(oauth.file, "`client_secret_file`");
  return {};
}

// The value of a {word}; nullopt for braces that are part of the text.
std::optional<std::string> value_of(std::string_view word, Facts f) {
  if (word == "at") return place(f);
  if (word == "host") return shown(f.host);
  if (word == "port") return std::to_string(f.port);
  if (word == "name") return shown(f.tls_name, shown(f.host));
  if (word == "tls") return std::string(name_of(f.tls));
  if (word == "stage") return std::string(words_for(f.stage));
  if (word == "user") return shown(f.user, "this account");
  if (word == "origin") return shown(f.origin, "authinfo");
  if (word == "offered") return shown(join(f.offered, " "), "nothing");
  if (word == "mechanism") return shown(f.mechanism, "this mechanism");
  if (word == "package") return std::string(package_of(f.mechanism));
  if (word == "sender") return shown(f.sender, "");
  if (word == "domain") return shown(std::string_view(f.sender).substr(f.sender.rfind('@') + 1));
  if (word == "recipient") return shown(f.recipient);
  if (word == "size") return readable(f.size);
  if (word == "max") return readable(f.max_size);
  if (word == "reload") return "run `systemctl reload hikyaku` (or send SIGHUP)";
  if (word == "look") return cat("to look at it: `", openssl_command(f), "`");
  if (word == "smarthost") return shown(f.smarthost);
  if (auto value = f.oauth ? value_of(word, *f.oauth) : std::nullopt) return value;
  return f.certificate ? value_of(word, *f.certificate) : std::nullopt;
}

}  // namespace

std::string names_of(const CertificateFacts& certificate) {
  std::string text;
  std::size_t more = certificate.names.size() + certificate.more_names;
  for (const std::string& name : certificate.names) {
    std::string shown_name = is_plain_name(name) ? name : cat("\"", printable(name, 100), "\"");
    if (text.size() + shown_name.size() > kMostNames) break;
    text += cat(text.empty() ? "" : ", ", shown_name);
    --more;
  }
  return more == 0 ? text : cat(text, " and ", std::to_string(more), " more");
}

std::string fill_in(std::string_view text, const Failure& f) {
  std::string filled;
  while (!text.empty()) {
    const auto open = text.find('{');
    filled += text.substr(0, open);
    if (open == text.npos) break;
    const auto close = text.find('}', open);
    const auto value = value_of(text.substr(open + 1, close - open - 1), f);
    filled += value ? *value : "{";
    text.remove_prefix(value ? close + 1 : open + 1);
  }
  return filled;
}

}  // namespace hikyaku::mail
