// SPDX-License-Identifier: MIT
#include "daemon/commands/daemon_places.h"

#include <unistd.h>

#include "daemon/base/text.h"
#include "daemon/config/load.h"
#include "daemon/system/directories.h"

namespace hikyaku::commands {
namespace {

DaemonPlaces places_of(const config::Settings& settings) {
  return {system::control_socket_in(settings.runtime_directory), settings.spool.directory, ""};
}

std::string note_on(const config::Problems& problems, const DaemonPlaces& places) {
  std::size_t more = problems.size() - 1;
  return cat(
      config::to_text(problems.front()),
      more > 0 ? cat(" (and ", std::to_string(more), more > 1 ? " more problems)" : " more problem)") : "",
      "; run 'hikyakud --check'. Assuming the daemon's socket is ", places.control_socket, " and its spool ",
      places.spool);
}

}  // namespace

Result<DaemonPlaces, StartError> find_daemon(const std::string& config) {
  auto settings = config::load_file(config);
  if (settings) return places_of(*settings);
  if (config != config::kDefaultConfig && ::access(config.c_str(), R_OK) != 0)
    return fail(Exit::configuration, join(config::to_lines(settings.error()), "\n"));
  DaemonPlaces places = places_of(config::understandable_settings(config));
  places.note = note_on(settings.error(), places);
  return places;
}

}  // namespace hikyaku::commands
