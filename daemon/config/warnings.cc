// SPDX-License-Identifier: MIT
#include "daemon/config/warnings.h"

#include <algorithm>

#include "daemon/base/text.h"
#include "daemon/config/hostname.h"
#include "daemon/config/presets.h"

namespace hikyaku::config {
namespace {

using mail::Smarthost;
using mail::TlsMode;

struct Doubt {
  bool (*applies)(const Smarthost&);
  std::string_view text;
};

constexpr Doubt kDoubts[] = {
    {[](const Smarthost& s) { return s.tls.mode == TlsMode::none; },
     "`tls: none` sends mail unencrypted, and everyone on the way can read it"},
    {[](const Smarthost& s) {
       const bool is_one_host = !s.direct && !s.lookup_mx;
       return is_one_host && s.tls.mode != TlsMode::none && !s.tls.verify && s.tls.fingerprint.empty();
     },
     "`tls_verify: false` lets anyone on the way pose as this smarthost, and read the password; pin its "
     "certificate "
     "with `tls_fingerprint` instead"},
    {[](const Smarthost& s) {
       return s.lookup_mx && s.credentials && !s.tls.verify && s.tls.fingerprint.empty();
     },
     "`lookup: mx` does not verify certificates, so anyone on the way can pose as this smarthost and read "
     "the "
     "password: set `tls_verify: true`, with `tls_hostname` if the certificate has another name than `host`"},
    {[](const Smarthost& s) { return s.tls.min_version < TlsVersion::tls1_2; },
     "`tls_min_version` below 1.2 allows broken encryption, and lowers OpenSSL's security level for this "
     "smarthost"},
    {[](const Smarthost& s) { return s.allow_plaintext_auth; },
     "`allow_plaintext_auth` lets the password cross an unencrypted connection"},
    {[](const Smarthost& s) { return s.port == 465 && s.tls.mode != TlsMode::implicit; },
     "port 465 usually speaks implicit TLS: without `tls: implicit` the connection hangs"},
    {[](const Smarthost& s) { return (s.port == 587 || s.port == 25) && s.tls.mode == TlsMode::implicit; },
     "this port usually does not speak implicit TLS: `tls: starttls` is what goes with it"},
};

bool is_whole_internet(const Network& network) { return network.to_text().ends_with("/0"); }

bool wants_login(const Smarthost& smarthost) {
  bool is_submission = smarthost.port == 587 || smarthost.port == 465;
  return is_submission && smarthost.auth && smarthost.tls.client_cert.empty();
}

// Of RFC 2606, and the ones that our own documentation uses.
bool is_example(std::string_view name) {
  std::string domain = to_lower(name.substr(name.rfind('@') + 1));
  auto is_below = [&](std::string_view top) { return domain == top || domain.ends_with(cat(".", top)); };
  return is_below("example.com") || is_below("example.net") || is_below("example.org");
}

using Warnings = std::vector<std::string>;

void warn_of_doubts(const Smarthost& smarthost, Warnings& found) {
  for (const Doubt& doubt : kDoubts)
    if (doubt.applies(smarthost)) found.push_back(cat("smarthost ", smarthost.name, ": ", doubt.text));
}

// By its name, or by its host where there is none.
const Preset* provider_of(const Smarthost& smarthost) {
  return smarthost.preset.empty() ? preset_of_host(smarthost.host) : find_preset(smarthost.preset);
}

std::string password_hint(const Smarthost& smarthost) {
  const Preset* provider = provider_of(smarthost);
  if (provider == nullptr || provider->password == PasswordKind::oauth2_only) return "";
  return cat("; ", provider->title, " wants ", to_text(provider->password), ", and `hikyaku presets ",
             provider->name, "` says how to get it");
}

void warn_of_missing_credentials(const Smarthost& smarthost, const Settings& settings,
                                 const SetupFacts& facts, Warnings& found) {
  bool is_undecided = std::ranges::find(facts.undecided, smarthost.name) != facts.undecided.end();
  if (!wants_login(smarthost) || smarthost.credentials || smarthost.oauth || is_undecided) return;
  found.push_back(cat("smarthost ", smarthost.name, ": port ", std::to_string(smarthost.port),
                      " usually demands a log-in, and ", settings.authinfo.path, " has no credentials for ",
                      smarthost.host, smarthost.user.empty() ? "" : cat(" and the user ", smarthost.user),
                      ": add a line `machine ", smarthost.host, " login ",
                      smarthost.user.empty() ? "USER" : smarthost.user,
                      " password PASSWORD` there, or set `auth: none`", password_hint(smarthost)));
}

void warn_of_access(const Settings& settings, Warnings& found) {
  bool is_reachable = std::ranges::any_of(
      settings.listen.endpoints, [](const Endpoint& endpoint) { return !endpoint.address.is_loopback(); });
  if (is_reachable && std::ranges::any_of(settings.allow, is_whole_internet))
    found.push_back(
        "`allow` lets every address send: whoever can reach this machine sends with your account");
}

void warn_of_metrics(const Settings& settings, Warnings& found) {
  if (!settings.metrics || settings.metrics->address.is_loopback()) return;
  found.push_back(
      cat("`metrics: \"", settings.metrics->to_text(),
          "\"` tells everyone who can reach this address how much mail there is and the names of the "
          "smarthosts: let only the monitoring system through, or use 127.0.0.1"));
}

void warn_of_provider(const Smarthost& smarthost, Warnings& found) {
  const Preset* provider = provider_of(smarthost);
  if (provider == nullptr) return;
  if (provider->password == PasswordKind::oauth2_only && !smarthost.oauth)
    found.push_back(
        cat("smarthost ", smarthost.name, ": ", provider->title, " takes ", to_text(provider->password),
            ", so mail will wait: add `oauth: {provider: microsoft, client_id: …}`, and run `hikyaku oauth "
            "login ",
            smarthost.name, "`"));
  const bool is_told = !smarthost.rewrite.envelope_from.empty() || !smarthost.rewrite.unless.empty();
  if (smarthost.preset.empty() || provider->demand != SenderDemand::account || is_told) return;
  const std::string user = smarthost.credentials ? smarthost.credentials->user : smarthost.user;
  const std::string_view address = address_demanded(*provider, user);
  found.push_back(cat("smarthost ", smarthost.name, ": ", provider->title, " takes ",
                      to_text(provider->demand),
                      " as the sender, so mail of cron and of other programs may be "
                      "refused: write `from: ",
                      address.empty() ? "YOUR@ADDRESS" : address, "`, and all mail leaves with it"));
}

// What local users' mail is sent as.
void warn_of_names(const Settings& settings, Warnings& found) {
  constexpr std::string_view kRemedy =
      ": set `domain` and `hostname` in hikyaku.yaml, or write this machine's full name into /etc/mailname";
  const std::string& domain = settings.domain;
  bool is_literal = settings.hostname.starts_with('[');
  if (domain.starts_with('['))
    found.push_back(cat("this machine has no usable name: local users' mail leaves as USER@", domain,
                        ", and Message-IDs end in @hikyaku.invalid", kRemedy));
  else if (!is_full_name(domain))
    found.push_back(cat("local users' mail leaves as USER@", domain,
                        ", a name without a domain, which many servers refuse", kRemedy));
  else if (!is_literal && !is_full_name(settings.hostname))
    found.push_back(cat("the name in EHLO is ", settings.hostname,
                        ", without a domain, which some servers refuse: set `hostname` in hikyaku.yaml"));
}

void add_examples(const Smarthost& smarthost, Warnings& examples) {
  auto add = [&](std::string_view what, const std::string& name) {
    if (is_example(name)) examples.push_back(cat(what, " ", name, " (smarthost ", smarthost.name, ")"));
  };
  add("`host`", smarthost.host);
  add("sender", smarthost.rewrite.envelope_from);
  if (smarthost.rewrite.header_from != smarthost.rewrite.envelope_from)
    add("From", smarthost.rewrite.header_from);
  add("user", smarthost.credentials ? smarthost.credentials->user : smarthost.user);
}

bool is_on_this_machine(const Smarthost& smarthost) {
  auto address = IpAddress::parse(smarthost.host);
  return address ? address->is_loopback() : is_localhost(smarthost.host);
}

void warn_of_examples(const Settings& settings, Warnings& found) {
  if (std::ranges::all_of(settings.smarthosts, is_on_this_machine)) return;  // a trial, which may have any
  Warnings examples;
  for (const Smarthost& smarthost : settings.smarthosts) add_examples(smarthost, examples);
  if (is_example(settings.domain)) examples.push_back(cat("`domain` ", settings.domain));
  if (settings.hostname != settings.domain && is_example(settings.hostname))
    examples.push_back(cat("`hostname` ", settings.hostname));
  if (examples.empty()) return;
  found.push_back(cat("names that exist only in documentation are still there; replace them by your own: ",
                      join(examples, ", ")));
}

// Programs of this machine send as USER@domain.
void warn_of_senders(const Settings& settings, Warnings& found) {
  const std::string root = cat("root@", settings.domain);
  if (mail::matches_any(settings.senders, root)) return;
  found.push_back(cat("`senders` does not name ", root,
                      ", so mail of cron and other programs of this machine is refused: add \"*@",
                      settings.domain, "\" to `senders`, or set `domain` in hikyaku.yaml"));
}

void warn_of_facts(const Settings& settings, const SetupFacts& facts, Warnings& found) {
  if (!facts.has_root_alias && settings.local_mail.empty())
    found.push_back(cat("there is no alias for root, so mail to root (cron's, for instance) leaves for root@",
                        settings.domain, ": add a line `root: YOUR@ADDRESS` to ", settings.aliases.path,
                        " and run newaliases, or set `local_mail: YOUR@ADDRESS` in hikyaku.yaml, for all "
                        "users of this machine"));
  for (const std::string& name : facts.unknown_trusted)
    found.push_back(cat("submit.trusted: there is neither a user nor a group ", name, " on this machine"));
  if (!facts.sendmail.empty()) found.push_back(facts.sendmail);
  for (const std::string& words : facts.signing_keys) found.push_back(words);
  for (const std::string& words : facts.door_keys) found.push_back(words);
  for (const std::string& problem : facts.reload_problems)
    found.push_back(cat("a reload will fail, because only root could read this: ", problem));
}

}  // namespace

std::vector<std::string> warnings(const Settings& settings, const SetupFacts& facts) {
  Warnings found;
  for (const Smarthost& smarthost : settings.smarthosts) {
    warn_of_doubts(smarthost, found);
    warn_of_missing_credentials(smarthost, settings, facts, found);
    warn_of_provider(smarthost, found);
  }
  warn_of_access(settings, found);
  warn_of_metrics(settings, found);
  warn_of_names(settings, found);
  warn_of_senders(settings, found);
  warn_of_examples(settings, found);
  warn_of_facts(settings, facts, found);
  return found;
}

}  // namespace hikyaku::config
