// SPDX-License-Identifier: MIT
#include "daemon/checkup/probe_choice.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "daemon/base/ip.h"
#include "daemon/base/text.h"
#include "daemon/config/presets.h"
#include "daemon/config/smarthost_draft.h"
#include "smtpc/login.h"

namespace hikyaku::checkup {
namespace {

using mail::TlsMode;

constexpr std::uint16_t kServersPort = 25;  // between servers; clients have 465 and 587

Result<std::vector<std::string>, smtpc::NoMechanism> login_plan(const PortFinding& finding,
                                                                const std::set<std::string>& installed) {
  mail::Smarthost smarthost;
  smarthost.credentials = mail::Credentials{};
  return smtpc::usable_mechanisms(smarthost, finding.offer(), finding.is_encrypted(), installed);
}

// The best first.
enum class Use : std::uint8_t { login_in_tls, login_after_starttls, tls, starttls, clear, none };

Use use_of(const PortFinding& finding, const std::set<std::string>& installed) {
  if (finding.trouble || finding.opening == Opening::none) return Use::none;
  const bool offers_login = !finding.offer().mechanisms.empty();
  if (finding.opening == Opening::clear) return offers_login ? Use::none : Use::clear;
  if (!finding.is_encrypted()) return Use::none;
  if (offers_login && usable_to_log_in(finding, installed).empty()) return Use::none;
  if (finding.opening == Opening::implicit) return offers_login ? Use::login_in_tls : Use::tls;
  return offers_login ? Use::login_after_starttls : Use::starttls;
}

std::string_view reason_for(Use use) {
  switch (use) {
    case Use::login_in_tls:
      return "it speaks TLS from the first byte, its certificate holds, and it offers to log in";
    case Use::login_after_starttls:
      return "it offers STARTTLS, its certificate holds, and it offers to log in";
    case Use::tls:
      return "it speaks TLS from the first byte and its certificate holds; it offers no log-in, so it relays "
             "only for machines that it knows";
    case Use::starttls:
      return "it offers STARTTLS and its certificate holds; it offers no log-in, so it relays only for "
             "machines that it knows, or takes mail for its own users";
    case Use::clear:
      return "it answers, but only in clear text and without a log-in: everybody on the way can read the "
             "mail, "
             "and it relays only for machines that it knows";
    case Use::none: break;
  }
  return "";
}

TlsMode mode_of(Opening opening) {
  if (opening == Opening::implicit) return TlsMode::implicit;
  return opening == Opening::starttls ? TlsMode::starttls : TlsMode::opportunistic;
}

bool names(const PortFinding& finding, const std::string& domain) {
  return finding.tls && !finding.tls->fault && finding.tls->certificate &&
         std::ranges::any_of(finding.tls->certificate->names,
                             [&](const std::string& name) { return equals_ignoring_case(name, domain); });
}

// By somebody better than the DNS: the domain is above it, its certificate is for the domain too, or its provider
// is known.
bool is_confirmed(const Place& place, const PortFinding& finding, const ProbeTarget& target) {
  return place.origin != Origin::srv || is_within(place.host, target.domain) || !place.preset.empty() ||
         names(finding, target.domain);
}

Recommendation recommend(const Place& place, const PortFinding& finding, Use use,
                         const std::set<std::string>& installed) {
  return {.host = place.host,
          .port = finding.port,
          .tls = mode_of(finding.opening),
          .mechanisms = usable_to_log_in(finding, installed),
          .origin = place.origin,
          .preset = place.preset,
          .max_size = finding.offer().max_size,
          .why = std::string(reason_for(use))};
}

// Places and ports come in the order of preference, which decides among equals.
class Best {
 public:
  void take(Use use, std::uint16_t port, auto&& make) {
    const auto rank = std::pair(use, port == kServersPort);
    if (use == Use::none || (choice_ && rank >= rank_)) return;
    rank_ = rank;
    choice_ = make();
  }
  std::optional<Recommendation> choice() && { return std::move(choice_); }

 private:
  std::pair<Use, bool> rank_;
  std::optional<Recommendation> choice_;
};

std::string_view scheme_of(TlsMode mode) {
  if (mode == TlsMode::implicit) return "smtps";
  return mode == TlsMode::starttls ? "submission" : "smtp";
}

std::string in_url(const std::string& host) {
  return host.find(':') == host.npos ? host : cat("[", host, "]");
}

// Single quotes take every character but themselves, which stand twice.
std::string in_yaml(std::string_view user) {
  std::string text = "'";
  for (char c : printable(user, 320)) text += c == '\'' ? "''" : std::string(1, c);
  return text + "'";
}

std::string url_yaml(const Recommendation& choice) {
  const std::string port =
      choice.port == config::default_port(choice.tls) ? "" : cat(":", std::to_string(choice.port));
  const std::string url = cat(scheme_of(choice.tls), "://", in_url(choice.host), port);
  const bool needs_quotes = url.find('[') != url.npos;
  return cat("smarthost: ", needs_quotes ? cat("\"", url, "\"") : url, "\n");
}

// What the preset sets need not be written; where it demands the account's address, it has to know the account.
std::string preset_yaml(const config::Preset& preset, const Recommendation& choice, std::string_view user) {
  const bool wants_user = preset.user.empty() && preset.demand == config::SenderDemand::account;
  std::string keys;
  if (choice.host != preset.host) keys += cat("    host: ", choice.host, "\n");
  if (choice.port != preset.port) keys += cat("    port: ", std::to_string(choice.port), "\n");
  if (choice.tls != (choice.port == preset.port ? preset.tls : config::default_tls_mode(choice.port)))
    keys += cat("    tls: ", word_for(choice.tls), "\n");
  if (wants_user) keys += cat("    user: ", user.empty() ? "USER" : in_yaml(user), "\n");
  if (keys.empty()) return cat("smarthost: ", preset.name, "\n");
  return cat("smarthosts:\n  - preset: ", preset.name, "\n", keys);
}

}  // namespace

std::string_view word_for(TlsMode mode) {
  switch (mode) {
    case TlsMode::none: return "none";
    case TlsMode::opportunistic: return "opportunistic";
    case TlsMode::starttls: return "starttls";
    case TlsMode::implicit: break;
  }
  return "implicit";
}

std::vector<std::string> usable_to_log_in(const PortFinding& finding,
                                          const std::set<std::string>& installed) {
  return login_plan(finding, installed).value_or(std::vector<std::string>{});
}

// In clear text not even a mechanism that hides the password: who can read along can use the connection too.
std::optional<mail::Failure> trouble_with_login(const std::string& host, const PortFinding& finding,
                                                const std::set<std::string>& installed) {
  if (finding.opening == Opening::none || finding.offer().mechanisms.empty()) return std::nullopt;
  const auto plan = login_plan(finding, installed);
  if (plan && finding.is_encrypted()) return std::nullopt;
  mail::Failure trouble;
  trouble.kind = finding.is_encrypted() ? plan.error().kind : mail::FailureKind::plaintext_auth_not_allowed;
  trouble.stage = mail::Stage::auth;
  trouble.host = host;
  trouble.port = finding.port;
  trouble.address = finding.address;
  trouble.offered = finding.offer().mechanisms;
  if (!plan) trouble.mechanism = plan.error().mechanism;
  return trouble;
}

bool is_known_mechanism(std::string_view mechanism) {
  static constexpr std::array<std::string_view, 7> kKnown{
      "SCRAM-SHA-256", "SCRAM-SHA-1", "DIGEST-MD5", "CRAM-MD5", "PLAIN", "LOGIN", "EXTERNAL"};
  return std::ranges::find(kKnown, mechanism) != kKnown.end();
}

Choice choose(const ProbeTarget& target, const std::vector<HostFinding>& found,
              const std::set<std::string>& installed) {
  Best confirmed, unconfirmed;
  for (const HostFinding& host : found)
    for (const PortFinding& finding : host.ports) {
      const Use use = use_of(finding, installed);
      Best& best = is_confirmed(host.place, finding, target) ? confirmed : unconfirmed;
      best.take(use, finding.port, [&] { return recommend(host.place, finding, use, installed); });
    }
  return {std::move(confirmed).choice(), std::move(unconfirmed).choice()};
}

std::string smarthost_yaml(const Recommendation& choice, std::string_view user) {
  const config::Preset* preset = config::find_preset(choice.preset);
  return preset == nullptr ? url_yaml(choice) : preset_yaml(*preset, choice, user);
}

std::string openssl_command(const Recommendation& choice) {
  const bool is_address = IpAddress::parse(choice.host).has_value();
  const std::string verification = is_address
                                       ? cat(" -noservername -verify_ip ", choice.host)
                                       : cat(" -servername ", choice.host, " -verify_hostname ", choice.host);
  return cat("openssl s_client -connect ", in_url(choice.host), ":", std::to_string(choice.port),
             choice.tls == TlsMode::implicit ? "" : " -starttls smtp", verification,
             " -verify_return_error -crlf -brief");
}

}  // namespace hikyaku::checkup
