// SPDX-License-Identifier: MIT
#include "daemon/app/checking.h"

#include <cstdio>
#include <utility>

#include "daemon/app/loading.h"
#include "daemon/app/relay.h"
#include "daemon/base/text.h"
#include "daemon/config/check.h"
#include "daemon/config/load.h"

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

config::Problems problems_of_files(const Loaded& loaded) {
  config::Problems problems = config::check_configuration(loaded.settings, reader_for(loaded.account));
  if (!problems.empty()) return problems;
  for (const mail::Smarthost& smarthost : loaded.settings.smarthosts) {
    auto tls = make_tls_client(smarthost);
    if (!tls) problems.push_back({"", 0, 0, cat("smarthost ", smarthost.name), tls.error().text});
  }
  return problems;
}

Exit report(const config::Problems& problems) {
  for (const config::Problem& problem : problems)
    std::fprintf(stderr, "%s\n", config::to_text(problem).c_str());
  return Exit::configuration;
}

Exit report(const std::string& config_file, const Loaded& loaded) {
  const config::Settings& settings = loaded.settings;
  std::size_t count = settings.smarthosts.size();
  std::printf("%s is fine: %zu smarthost%s\n", config_file.c_str(), count, count == 1 ? "" : "s");
  for (const mail::Smarthost& smarthost : settings.smarthosts)
    std::printf("  %s\n", describe(smarthost).c_str());
  for (const std::string& warning : config::warnings(settings)) std::printf("warning: %s\n", warning.c_str());
  for (const config::Problem& problem : loaded.aliases.problems)
    std::printf("warning: %s\n", config::to_text(problem).c_str());
  return Exit::ok;
}

}  // namespace

Exit check_everything(const std::string& config_file) {
  auto loaded = load_everything(config_file, Purpose::check);
  if (!loaded) return report(loaded.error());
  config::Problems problems = problems_of_files(*loaded);
  return problems.empty() ? report(config_file, *loaded) : report(problems);
}

std::string describe(const mail::Smarthost& smarthost) {
  std::string text = cat(smarthost.name, ": ", smarthost.host, " port ", std::to_string(smarthost.port), ", ",
                         words_for(smarthost.tls.mode));
  for (const mail::Rate& rate : smarthost.rates) text += cat(", at most ", to_text(rate));
  if (smarthost.auth && smarthost.credentials)
    return cat(text, ", logs in as ", smarthost.credentials->user, " (", smarthost.credentials->origin, ")");
  return cat(text, smarthost.auth ? ", no credentials: no log-in" : ", no log-in");
}

}  // namespace hikyaku::app
