// SPDX-License-Identifier: MIT
#include "daemon/base/text.h"
#include "daemon/checkup/probe_report.h"
#include "daemon/mail/diagnosis.h"
#include "daemon/mail/diagnosis_words.h"

namespace hikyaku::checkup {
namespace {

using enum mail::FailureKind;
using mail::always;

constexpr std::size_t kLongestDetail = 200;

bool is_port_of_servers(const mail::Failure& failure) { return failure.port == 25; }
bool is_without_words(const mail::Failure& failure) { return failure.stage <= mail::Stage::greeting; }
bool is_in_handshake(const mail::Failure& failure) { return failure.stage == mail::Stage::tls; }

// Where the words for a smarthost that is configured do not do. {words} as in mail/diagnosis_words.h.
constexpr mail::DiagnosisRow kProbeRows[] = {
    {lookup_failed, always, "the name could not be looked up", "check this machine's name service"},
    {no_such_name, always, "the name does not exist, or has no address", ""},
    {refused, always, "nobody listens, or a firewall rejects the connection", ""},
    {connect_timed_out, is_port_of_servers,
     "no answer: your network probably blocks outbound port 25 (OP25B), as most access providers do",
     "mail clients have ports 465 and 587"},
    {connect_timed_out, always, "no answer: nothing is there, or a firewall drops what goes there", ""},
    {unreachable, always, "this machine has no route to it", "check its network and routes"},
    {greeting_timed_out, always,
     "it took the connection and then said nothing, neither in clear nor to a TLS hello", ""},
    {timed_out, is_in_handshake, "it took the connection and does not answer a TLS hello", ""},
    {closed_early, is_without_words, "it hung up before it said anything",
     "it may refuse this machine's address"},
    {closed_early, is_in_handshake, "it hung up while TLS was being set up", ""},
    {protocol_error, is_without_words, "it does not speak SMTP", ""},
    {plain_on_implicit, always, "it speaks neither TLS nor SMTP", ""},
    {smarthost_refuses, always, "it takes no mail from here now ({stage})", "try again later"},
    {auth_not_offered, always, "it offers no log-in", ""},
    {plaintext_auth_not_allowed, always,
     "it offers to log in ({offered}), but in clear text alone, where others can read along",
     "if it takes mail from this machine without a log-in, configure `smarthost: smtp://{host}:{port}`"},
    {no_usable_mechanism, always, "hikyaku can use none of the ways to log in that it offers ({offered})",
     ""},
    {missing_plugin, always, "the SASL plug-in for {mechanism} is not installed",
     "install the package {package}"},
    {auth_rejected, always, "it refused the user name or the password",
     "check both: many providers want the whole mail address as the user name, and some a password made for "
     "programs instead of the account's own"},
    {app_password_needed, always, "it does not take the account's usual password, but an app password",
     "create one in the account's security settings"},
    {auth_temporary, always, "it cannot log us in at the moment", "try again later"},
};

// The peer's own words, or the system's.
std::string evidence_of(const mail::Failure& trouble) {
  if (trouble.reply) return cat(" (", mail::to_text(*trouble.reply), ")");
  return trouble.detail.empty() ? "" : cat(" (", still_printable(trouble.detail, kLongestDetail), ")");
}

}  // namespace

std::string explain(const mail::Failure& trouble) {
  for (const mail::DiagnosisRow& row : kProbeRows)
    if (row.kind == trouble.kind && row.when(trouble))
      return cat(mail::fill_in(row.what, trouble), evidence_of(trouble),
                 row.change.empty() ? "" : cat("; ", mail::fill_in(row.change, trouble)));
  return mail::diagnose(trouble);
}

std::string explain(Origin origin, const std::string& domain) {
  switch (origin) {
    case Origin::given: return "";
    case Origin::srv: return cat("named by a SRV record of ", domain);
    case Origin::provider: return cat("known to be the provider of ", domain);
    case Origin::provider_by_mx: return cat("known as the provider that the MX records of ", domain, " name");
    case Origin::guess: break;
  }
  return "guessed";
}

}  // namespace hikyaku::checkup
