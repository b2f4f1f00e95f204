// SPDX-License-Identifier: MIT
#include "daemon/app/checking.h"

#include <cstdio>
#include <utility>

#include "daemon/app/local_submitters.h"
#include "daemon/app/setup_warnings.h"
#include "daemon/base/text.h"
#include "daemon/config/load.h"
#include "daemon/config/warnings.h"
#include "daemon/io/tls.h"
#include "smtpc/opening.h"

namespace hikyaku::app {
namespace {

config::Problems problems_of_files(const system::Loaded& loaded) {
  config::Problems problems =
      config::check_configuration(loaded.settings, system::reader_for(loaded.account));
  if (!problems.empty()) return problems;
  problems = config::check_door_pairs(loaded.settings.listen, io::TlsServer::trouble_with);
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

config::SetupFacts facts_of(const system::Loaded& loaded) {
  config::SetupFacts facts{.has_root_alias = loaded.aliases.aliases.find("root") != nullptr,
                           .unknown_trusted = unknown_trusted(loaded.settings.submit),
                           .sendmail = judge_installed_sendmail(installation_prefix()).value_or(""),
                           .signing_keys = loaded.signing_keys->warnings(),
                           .door_keys = config::warnings_of_door_keys(loaded.settings.listen)};
  for (const mail::Smarthost& smarthost : loaded.settings.smarthosts)
    if (config::depends_on_addresses(smarthost, loaded.credentials))
      facts.undecided.push_back(smarthost.name);
  return facts;
}

std::vector<std::string> warnings_of(const system::Loaded& loaded) {
  auto found = config::warnings(loaded.settings, facts_of(loaded));
  for (std::string& line : config::to_lines(loaded.aliases.problems)) found.push_back(std::move(line));
  return found;
}

std::string counted(std::size_t count, std::string_view what) {
  return cat(std::to_string(count), " ", what, count == 1 ? "" : "s");
}

Exit report(const std::string& config_file, const system::Loaded& loaded) {
  auto warnings = warnings_of(loaded);
  std::string smarthosts = counted(loaded.settings.smarthosts.size(), "smarthost");
  std::string verdict = warnings.empty()
                            ? cat("is fine: ", smarthosts)
                            : cat("can be used: ", smarthosts, ", ", counted(warnings.size(), "warning"));
  std::printf("%s %s\n", config_file.c_str(), verdict.c_str());
  for (const mail::Smarthost& smarthost : loaded.settings.smarthosts)
    std::printf("  %s\n", mail::describe(smarthost).c_str());
  for (const std::string& warning : warnings) std::printf("warning: %s\n", warning.c_str());
  return Exit::ok;
}

}  // namespace

Exit check_everything(const std::string& config_file, const system::LoadCalls& calls) {
  auto loaded = system::load_as_daemon(config_file, calls);
  if (!loaded) return report(loaded.error());
  config::Problems problems = problems_of_files(*loaded);
  return problems.empty() ? report(config_file, *loaded) : report(problems);
}

}  // namespace hikyaku::app
