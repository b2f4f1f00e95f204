// SPDX-License-Identifier: MIT
#include "daemon/base/text.h"
#include "daemon/checkup/probe.h"
#include "daemon/checkup/probe_report.h"
#include "daemon/commands/progress.h"
#include "daemon/commands/trials.h"

namespace hikyaku::commands {
namespace {

setup::FoundServer found_by(const checkup::Recommendation& choice, const std::string& domain) {
  setup::FoundServer found{.host = choice.host,
                           .port = choice.port,
                           .tls = choice.tls,
                           .offers_login = !choice.mechanisms.empty(),
                           .preset = choice.preset};
  const std::string origin = checkup::explain(choice.origin, domain);
  found.words = cat("Found ", setup::describe_server(choice.host, choice.port, choice.tls),
                    origin.empty() ? "" : cat(", ", origin), ".\n");
  return found;
}

}  // namespace

Result<setup::FoundServer, std::string> probe_for_setup(const std::string& config_file,
                                                        const std::string& host) {
  auto target = checkup::parse_probe_target(host);
  if (!target) return std::unexpected(std::move(target.error()));
  SystemClock clock;
  io::Loop loop(clock);
  const auto result = [&] {
    Progress progress(cat("asking the servers of ", printable(host, 100)));
    return loop.run(checkup::probe_from_here(loop, checkup::standpoint_of(config_file), std::move(*target)));
  }();
  const std::string& domain = result.target.domain;
  if (result.choice.recommended) return found_by(*result.choice.recommended, domain);
  if (!result.choice.unconfirmed)
    return std::unexpected(cat(checkup::to_text(result, clock.wall()),
                               "name the smarthost as your provider calls it, such as smtp.example.com"));
  setup::FoundServer found = found_by(*result.choice.unconfirmed, domain);
  found.doubt =
      "Only the DNS, whose answers are not protected, says so, and this server would get your password.";
  return found;
}

}  // namespace hikyaku::commands
