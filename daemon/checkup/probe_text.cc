// SPDX-License-Identifier: MIT
#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/checkup/certificate_text.h"
#include "daemon/checkup/probe_report.h"
#include "daemon/config/presets.h"

namespace hikyaku::checkup {
namespace {

using mail::TlsMode;

constexpr std::size_t kLongestShown = 200;
constexpr std::string_view kBelowPort = "       ";

std::string in_sentences(const std::vector<std::string>& lines, std::string_view indent) {
  std::string text;
  for (const std::string& line : lines) text += cat(indent, line, "\n");
  return text;
}

std::string escaped(const std::vector<std::string>& names) {
  return printable(join(names, ", "), kLongestShown);
}

// ---- what the DNS says

std::string text_of(const dns::SrvRecord& service) {
  return service.target.empty() ? "not offered"
                                : cat(printable(service.target), ":", std::to_string(service.port));
}
std::string text_of(const dns::MxRecord& record) {
  return record.exchange.empty() ? "takes no mail" : printable(record.exchange);
}

std::string answer_text(const dns::Answer& answer, const auto& records) {
  if (answer.status == dns::Status::failed) return cat("not known: ", answer.trouble);
  std::vector<std::string> each;
  for (const auto& record : records) each.push_back(text_of(record));
  return each.empty() ? "none" : join(each, ", ");
}

std::string mx_text(const dns::Answer& mx) {
  if (mx.status == dns::Status::no_such_name) return "none: the domain does not exist";
  return answer_text(mx, mx.exchanges);
}

std::string records_text(const std::string& domain, const DomainRecords& records) {
  return cat(domain, " in the DNS\n", "  SRV _submissions._tcp  ",
             answer_text(records.submissions, records.submissions.services), "\n",
             "  SRV _submission._tcp   ", answer_text(records.submission, records.submission.services), "\n",
             "  MX                     ", mx_text(records.mx), "\n");
}

// ---- a port

std::string opening_words(const PortFinding& finding) {
  const std::string tls = finding.tls ? cat(" (", finding.tls->version, ", ", finding.tls->cipher, ")") : "";
  switch (finding.opening) {
    case Opening::implicit: return cat("TLS from the first byte", tls);
    case Opening::starttls: return cat("SMTP in clear, which offers STARTTLS", tls);
    case Opening::clear: return "SMTP in clear, without TLS";
    case Opening::none: break;
  }
  return finding.trouble ? explain(*finding.trouble) : "";
}

std::string login_words(const mail::Capabilities& offer) {
  std::vector<std::string> known, others;
  for (const std::string& mechanism : offer.mechanisms)
    (is_known_mechanism(mechanism) ? known : others).push_back(mechanism);
  if (known.empty() && others.empty()) return "no log-in";
  const std::string unknown = others.empty() ? "" : cat("unknown to hikyaku: ", escaped(others));
  if (known.empty()) return cat("to log in, only mechanisms ", unknown);
  return cat("to log in with ", escaped(known), unknown.empty() ? "" : cat(" (", unknown, ")"));
}

std::string extension_words(const mail::Capabilities& offer) {
  const std::pair<bool, std::string_view> kAll[] = {{offer.pipelining, "PIPELINING"},
                                                    {offer.chunking, "CHUNKING"},
                                                    {offer.eight_bit_mime, "8BITMIME"},
                                                    {offer.smtputf8, "SMTPUTF8"},
                                                    {offer.dsn, "DSN"}};
  std::string text;
  for (const auto& [offered, name] : kAll)
    if (offered) text += cat(", ", name);
  if (offer.size) text += offer.max_size == 0 ? ", SIZE" : cat(", SIZE ", std::to_string(offer.max_size));
  return text;
}

std::vector<std::string> offer_lines(const PortFinding& finding) {
  std::vector<std::string> lines;
  if (finding.opening == Opening::starttls || finding.opening == Opening::clear)
    lines.push_back(cat("offers in clear ", login_words(finding.in_clear),
                        finding.is_encrypted() ? "" : extension_words(finding.in_clear)));
  if (finding.is_encrypted())
    lines.push_back(cat("offers in TLS ", login_words(finding.in_tls), extension_words(finding.in_tls)));
  return lines;
}

// "18.4 ms"
std::string milliseconds(Duration time) {
  const auto tenths = std::max<Duration::rep>(time / 100us, 1);
  return cat(std::to_string(tenths / 10), ".", std::to_string(tenths % 10), " ms");
}

// A certificate stands once, however many ports show it.
class CertificateLines {
 public:
  explicit CertificateLines(WallTime now) : now_(now) {}

  std::vector<std::string> of(const PortFinding& finding) {
    if (!finding.tls || !finding.tls->certificate) return {};
    const CertificateFacts& facts = *finding.tls->certificate;
    if (facts.fingerprint == shown_) return {cat("certificate as on port ", std::to_string(port_))};
    shown_ = facts.fingerprint;
    port_ = finding.port;
    std::vector<std::string> lines = certificate_lines(facts, now_);
    if (!finding.tls->fault) lines.emplace_back("the certificate holds");
    return lines;
  }

 private:
  WallTime now_;
  std::string shown_;
  std::uint16_t port_ = 0;
};

std::string port_text(const PortFinding& finding, CertificateLines& certificates) {
  std::string port = std::to_string(finding.port);
  port.resize(std::max<std::size_t>(port.size(), 5), ' ');
  std::string text = cat("  ", port, opening_words(finding));
  if (finding.round_trip > Duration{0}) text += cat("; a command takes ", milliseconds(finding.round_trip));
  text += "\n";
  if (!finding.greeting.empty())
    text += cat(kBelowPort, "greets as ", printable(finding.greeting, kLongestShown), "\n");
  text += in_sentences(certificates.of(finding), kBelowPort);
  text += in_sentences(offer_lines(finding), kBelowPort);
  if (finding.trouble && finding.opening != Opening::none)
    text += cat(kBelowPort, "cannot be used: ", explain(*finding.trouble), "\n");
  return text;
}

// The name itself may be the trouble: then that is said once.
std::optional<mail::Failure> trouble_with_name(const HostFinding& host) {
  auto has_no_address = [](const PortFinding& finding) {
    return finding.trouble && finding.trouble->stage == mail::Stage::lookup;
  };
  if (host.ports.empty() || !std::ranges::all_of(host.ports, has_no_address)) return std::nullopt;
  return host.ports.front().trouble;
}

std::string host_text(const HostFinding& host, const std::string& domain, WallTime now) {
  const std::string origin = explain(host.place.origin, domain);
  std::string text = cat(host.place.host, origin.empty() ? "" : cat(" (", origin, ")"), "\n");
  if (auto trouble = trouble_with_name(host)) return cat(text, "  ", explain(*trouble), "\n");
  CertificateLines certificates(now);
  for (const PortFinding& finding : host.ports) text += port_text(finding, certificates);
  return text;
}

// ---- what to do

std::string mode_words(TlsMode mode) {
  if (mode == TlsMode::implicit) return "TLS from the first byte";
  return mode == TlsMode::starttls ? "STARTTLS" : "no TLS";
}

std::string indented_lines(const std::string& lines) {
  std::string text;
  for (std::string_view line : split(lines, '\n'))
    if (!line.empty()) text += cat("  ", line, "\n");
  return text;
}

// For a POSIX shell; what cannot be typed is escaped, and then is no command any more.
std::string quoted(const std::string& word) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@._+=:-";
  if (!word.empty() && word.find_first_not_of(kPlain) == word.npos) return word;
  std::string text = "'";
  for (char c : printable(word, kLongestShown)) text += c == '\'' ? "'\\''" : std::string(1, c);
  return text + "'";
}

std::string password_words(const config::Preset& preset) {
  return cat(preset.title, " wants ", config::to_text(preset.password), ". ", preset.steps,
             "\nwhat else it demands, says\n  hikyaku presets ", preset.name, "\n");
}

std::string password_text(const ProbeResult& result, const Recommendation& choice) {
  if (choice.mechanisms.empty()) return "";
  const std::string user = result.user().empty() ? "USER" : quoted(result.user());
  const config::Preset* preset = config::find_preset(choice.preset);
  return cat("the password, which is asked for without echo\n  hikyaku authinfo add ", choice.host,
             " --user ", user, "\nwhich adds this line to authinfo\n  machine ", choice.host, " login ", user,
             " password PASSWORD\n", preset == nullptr ? "" : password_words(*preset));
}

std::string look_text(const Recommendation& choice) {
  if (choice.tls == TlsMode::opportunistic) return "";
  return cat("to look at it without hikyaku (then type EHLO me)\n  ", openssl_command(choice), "\n");
}

std::string login_text(const LoginFinding& login) {
  const std::string user = printable(login.user, kLongestShown);
  const std::string with = login.mechanism.empty() ? "" : cat(" with ", printable(login.mechanism, 40));
  if (!login.trouble) return cat("  log-in: succeeded as ", user, with, "\n");
  return cat("  log-in: failed as ", user, with, ": ", explain(*login.trouble), "\n");
}

std::string recommendation_text(const ProbeResult& result, const Recommendation& choice) {
  const std::string with = choice.mechanisms.empty() ? "" : cat(" with ", escaped(choice.mechanisms));
  return cat("recommended: ", choice.host, ", port ", std::to_string(choice.port), ", ",
             mode_words(choice.tls), "\n  ", choice.why, with, "\n",
             result.login ? login_text(*result.login) : "", "\nin hikyaku.yaml\n",
             indented_lines(smarthost_yaml(choice, result.user())), password_text(result, choice),
             look_text(choice));
}

std::string unconfirmed_text(const Recommendation& host, const std::string& domain) {
  return cat("not recommended: ", host.host, ", port ", std::to_string(host.port),
             "\n  Only a SRV record of ", domain,
             " names it, and the DNS is not authenticated: somebody who forges its answers would get your "
             "password.\n  If it is your provider's, which its help pages say, run\n  hikyaku probe ",
             host.host, "\n");
}

bool was_heard(const HostFinding& host) {
  return std::ranges::any_of(host.ports,
                             [](const PortFinding& finding) { return finding.opening != Opening::none; });
}

std::string nothing_text(const ProbeResult& result) {
  if (result.choice.unconfirmed) return unconfirmed_text(*result.choice.unconfirmed, result.target.domain);
  if (result.records && offers_no_submission(*result.records))
    return cat("nothing usable was found: ", result.target.domain,
               " says in the DNS that it has no server for sending\n");
  if (std::ranges::any_of(result.hosts, was_heard))
    return "nothing usable was found; what is wrong stands at each port\n";
  return "nothing usable was found\n  Ask the provider, or its help pages, for the name of its server for "
         "sending "
         "(\"SMTP server\", \"submission\"), and run\n  hikyaku probe NAME\n";
}

}  // namespace

std::string to_text(const ProbeResult& result, WallTime now) {
  std::string text;
  const bool is_domain =
      result.records && (result.target.host.empty() || !is_without_records(*result.records));
  if (is_domain) text += cat(records_text(result.target.domain, *result.records), "\n");
  for (const HostFinding& host : result.hosts) text += cat(host_text(host, result.target.domain, now), "\n");
  if (!result.choice.recommended) return text + nothing_text(result);
  return text + recommendation_text(result, *result.choice.recommended);
}

}  // namespace hikyaku::checkup
