// SPDX-License-Identifier: MIT
#include "daemon/app/checking.h"

#include <cstdio>
#include <utility>

#include "daemon/app/loading.h"
#include "daemon/app/local_submitters.h"
#include "daemon/app/setup_warnings.h"
#include "daemon/base/text.h"
#include "daemon/config/load.h"
#include "smtpc/opening.h"

namespace hikyaku::app {
namespace {

std::string_view words_for(mail::TlsMode mode) {
  switch (mode) {
    case mail::TlsMode::none: return "no TLS";
    case mail::TlsMode::opportunistic: return "STARTTLS where offered";
    case mail::TlsMode::starttls: return "STARTTLS required";
    case mail::TlsMode::implicit: return "implicit TLS";
  }
  std::unreachable();
}

std::string forced_addresses(const mail::Rewriting& rules) {
  if (!rules.envelope_from.empty() && rules.envelope_from == rules.header_from)
    return cat(", mail leaves as ", rules.header_from);
  std::string text;
  if (!rules.envelope_from.empty()) text += cat(", sender ", rules.envelope_from);
  if (!rules.header_from.empty()) text += cat(", From ", rules.header_from);
  return text;
}

config::Problems problems_of_files(const Loaded& loaded) {
  config::Problems problems = config::check_configuration(loaded.settings, reader_for(loaded.account));
  if (!problems.empty()) return problems;
  for (const mail::Smarthost& smarthost : loaded.settings.smarthosts) {
    auto tls = smtpc::make_tls_client(smarthost);
    if (!tls) problems.push_back({"", 0, 0, cat("smarthost ", smarthost.name), tls.error().text});
  }
  return problems;
}

Exit report(const config::Problems& problems) {
  std::fprintf(stderr, "%s\n", config::to_text(problems, "\n").c_str());
  return Exit::configuration;
}

config::SetupFacts facts_of(const Loaded& loaded) {
  config::SetupFacts facts{.has_root_alias = loaded.aliases.aliases.find("root") != nullptr,
                           .unknown_trusted = unknown_trusted(loaded.settings.submit),
                           .sendmail = judge_installed_sendmail(installation_prefix()).value_or("")};
  for (const mail::Smarthost& smarthost : loaded.settings.smarthosts)
    if (config::depends_on_addresses(smarthost, loaded.credentials))
      facts.undecided.push_back(smarthost.name);
  return facts;
}

std::vector<std::string> warnings_of(const Loaded& loaded) {
  auto found = config::warnings(loaded.settings, facts_of(loaded));
  for (std::string& line : config::to_lines(loaded.aliases.problems)) found.push_back(std::move(line));
  return found;
}

std::string counted(std::size_t count, std::string_view what) {
  return cat(std::to_string(count), " ", what, count == 1 ? "" : "s");
}

Exit report(const std::string& config_file, const Loaded& loaded) {
  auto warnings = warnings_of(loaded);
  std::string smarthosts = counted(loaded.settings.smarthosts.size(), "smarthost");
  std::string verdict = warnings.empty()
                            ? cat("is fine: ", smarthosts)
                            : cat("can be used: ", smarthosts, ", ", counted(warnings.size(), "warning"));
  std::printf("%s %s\n", config_file.c_str(), verdict.c_str());
  for (const mail::Smarthost& smarthost : loaded.settings.smarthosts)
    std::printf("  %s\n", describe(smarthost).c_str());
  for (const std::string& warning : warnings) std::printf("warning: %s\n", warning.c_str());
  return Exit::ok;
}

// As root, loads a second time as the daemon's user.
Result<Loaded, config::Problems> load_for_user(const std::string& config_file, const CheckCalls& calls) {
  auto loaded = load_everything(config_file, Purpose::check, calls.find);
  if (!loaded || !loaded->account) return loaded;
  if (auto dropped = calls.become(*loaded->account); !dropped)
    return std::unexpected(config::Problems{{config_file, 0, 0, "user", dropped.error().text}});
  return load_everything(config_file, Purpose::check, calls.find);
}

}  // namespace

Exit check_everything(const std::string& config_file, const CheckCalls& calls) {
  auto loaded = load_for_user(config_file, calls);
  if (!loaded) return report(loaded.error());
  config::Problems problems = problems_of_files(*loaded);
  return problems.empty() ? report(config_file, *loaded) : report(problems);
}

std::string describe(const mail::Smarthost& smarthost) {
  const std::string where = smarthost.direct ? "each recipient's own servers," : smarthost.host;
  std::string text = cat(smarthost.name, ": ", where, smarthost.lookup_mx ? " (by its MX records)" : "",
                         " port ", std::to_string(smarthost.port), ", ", words_for(smarthost.tls.mode));
  for (const mail::Rate& rate : smarthost.rates) text += cat(", at most ", to_text(rate));
  text += forced_addresses(smarthost.rewrite);
  if (smarthost.auth && smarthost.credentials)
    return cat(text, ", logs in as ", smarthost.credentials->user, " (", smarthost.credentials->origin, ")");
  if (smarthost.direct) return text;
  return cat(text, smarthost.auth ? ", no credentials: no log-in" : ", no log-in");
}

}  // namespace hikyaku::app
