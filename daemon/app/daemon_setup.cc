// SPDX-License-Identifier: MIT
// What the daemon finds odd about its own set-up: said in the log at the start and after each reload, and
// kept for `hikyaku status`.
#include <algorithm>
#include <utility>

#include "daemon/app/daemon.h"
#include "daemon/app/installed_sendmail.h"
#include "daemon/config/warnings.h"
#include "daemon/io/work.h"

namespace hikyaku::app {
namespace {

// Root has read the files; at a reload we have to.
std::vector<std::string> problems_without_root(const std::string& config_file) {
  auto loaded = load_everything(config_file, Purpose::run);
  return loaded ? std::vector<std::string>() : config::to_lines(loaded.error());
}

}  // namespace

// In the background, since the user database may be far away. What was said before is not said again.
Task<void> Daemon::judge_setup() {
  const config::Settings settings = settings_;
  config::SetupFacts facts{.has_root_alias = sink_->has_alias("root")};
  co_await io::run_on_pool(loop_, [&] {
    facts.unknown_trusted = unknown_trusted(settings.submit);
    facts.sendmail = judge_installed_sendmail(installation_prefix()).value_or("");
    if (was_root_) facts.reload_problems = problems_without_root(config_file_);
  });
  auto said = std::exchange(warnings_, config::warnings(settings, facts));
  for (const std::string& warning : warnings_)
    if (std::ranges::find(said, warning) == said.end()) log_.warning(warning);
}

}  // namespace hikyaku::app
