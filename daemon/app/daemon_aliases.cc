// SPDX-License-Identifier: MIT
// How the daemon comes to its aliases. A file that the configuration does not name may hold what was meant
// for another mail server (programs, files): at the start that must not keep mail from flowing, so what is
// good is used, and the rest is told. Later a file with a mistake changes nothing.
#include <utility>

#include "daemon/app/daemon.h"

namespace hikyaku::app {
namespace {

void tell(log::MailLog& log, const config::Problems& problems, std::string_view consequence) {
  for (const config::Problem& problem : problems) log.warning(config::to_text(problem));
  if (!problems.empty()) log.warning(consequence);
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
  tell(log_, fresh.problems, "the aliases stay as they were");
  if (fresh.problems.empty()) sink_->set_aliases(std::move(fresh.aliases));
}

Result<std::size_t, config::Problems> Daemon::reload_aliases() {
  auto fresh = config::load_aliases(settings_.aliases);
  tell(log_, fresh.problems, "the aliases stay as they were");
  if (!fresh.problems.empty()) return std::unexpected(std::move(fresh.problems));
  sink_->set_aliases(std::move(fresh.aliases));
  log_.info("aliases have been read again", {{"aliases", std::uint64_t{sink_->size()}}});
  return sink_->size();
}

}  // namespace hikyaku::app
