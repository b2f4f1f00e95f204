// SPDX-License-Identifier: MIT
#include "daemon/app/setup_warnings.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "daemon/app/local_submitters.h"
#include "daemon/base/text.h"
#include "daemon/io/work.h"
#include "daemon/system/loading.h"

namespace hikyaku::app {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTarget = "../lib/hikyaku/sendmail";  // of the link, as the installation makes it

std::vector<std::string> problems_without_root(const std::string& config_file) {
  auto loaded = system::load_everything(config_file, system::Purpose::run);
  return loaded ? std::vector<std::string>() : config::to_lines(loaded.error());
}

}  // namespace

SetupWarnings::SetupWarnings(io::Loop& loop, log::MailLog& log, std::string config_file, bool was_root)
    : loop_(loop), log_(log), config_file_(std::move(config_file)), was_root_(was_root) {}

Task<void> SetupWarnings::check(config::Settings settings, config::SetupFacts facts) {
  co_await io::run_on_pool(loop_, [&] {
    facts.unknown_trusted = unknown_trusted(settings.submit);
    facts.sendmail = judge_installed_sendmail(installation_prefix()).value_or("");
    if (was_root_) facts.reload_problems = problems_without_root(config_file_);
  });
  auto logged = std::exchange(warnings_, config::warnings(settings, facts));
  for (const std::string& warning : warnings_)
    if (std::ranges::find(logged, warning) == logged.end()) log_.warning(warning);
}

std::optional<std::string> judge_installed_sendmail(const std::string& prefix) {
  std::error_code error;
  const fs::path ours = fs::canonical(cat(prefix, "/lib/hikyaku/sendmail"), error);
  if (error) return std::nullopt;
  const std::string name = cat(prefix, "/sbin/sendmail");
  const fs::path found = fs::canonical(name, error);
  if (error)
    return cat(name, " is missing, so cron and scripts cannot send mail; run: ln -sf ", kTarget, " ", name);
  if (found == ours) return std::nullopt;
  return cat(name, " is ", fs::is_symlink(name) ? found.string() : "another program",
             " and not hikyaku's: a package has replaced it, and mail of cron and scripts goes there; remove "
             "that package, "
             "then run: ln -sf ",
             kTarget, " ", name);
}

std::string installation_prefix() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path().parent_path().string();
}

}  // namespace hikyaku::app
