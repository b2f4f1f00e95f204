// SPDX-License-Identifier: MIT
// How the daemon comes to its aliases. A file that the configuration does not name may hold what was meant
// for another mail server (programs, files): at the start that must not keep mail from flowing, so what is
// good is used, and the rest is told. Later a file with a mistake changes nothing.
#include <algorithm>
#include <utility>

#include "daemon/app/daemon.h"
#include "daemon/base/text.h"

namespace hikyaku::app {
namespace {

constexpr std::string_view kUnchanged = "the aliases stay as they were";
constexpr std::size_t kMostTold = 5;

void tell(log::MailLog& log, const config::Problems& problems, std::string_view consequence) {
  for (const config::Problem& problem : problems) log.warning(config::to_text(problem));
  if (!problems.empty()) log.warning(consequence);
}

// The first few; the log has them all.
std::string in_one_line(const config::Problems& problems) {
  auto texts = config::to_lines(problems);
  texts.resize(std::min(texts.size(), kMostTold));
  if (problems.size() > kMostTold)
    texts.push_back(
        cat("and ", std::to_string(problems.size() - kMostTold), " more, which stand in the log"));
  return join(texts, "; ");
}

}  // namespace

void Daemon::start_aliases() {
  sink_.emplace(*spool_, log_);
  sink_->set_names(settings_.domain, settings_.hostname);
  sink_->set_aliases(std::move(first_aliases_.aliases));
  tell(log_, first_aliases_.problems, "the other aliases are used");
  first_aliases_ = {};
}

void Daemon::take_aliases(config::LoadedAliases fresh) {
  sink_->set_names(settings_.domain, settings_.hostname);
  tell(log_, fresh.problems, kUnchanged);
  if (fresh.problems.empty()) sink_->set_aliases(std::move(fresh.aliases));
}

// For newaliases: how many there are now, or what is wrong and has therefore changed nothing.
Task<Result<std::size_t, std::string>> Daemon::reload_aliases() {
  auto fresh = config::load_aliases(settings_.aliases);
  tell(log_, fresh.problems, kUnchanged);
  if (!fresh.problems.empty()) co_return std::unexpected(in_one_line(fresh.problems));
  sink_->set_aliases(std::move(fresh.aliases));
  log_.info("aliases have been read again", {{"aliases", std::uint64_t{sink_->size()}}});
  background_.spawn(judge_setup());
  co_return sink_->size();
}

}  // namespace hikyaku::app
