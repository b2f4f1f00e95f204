// SPDX-License-Identifier: MIT
#include "daemon/commands/daemon_paths.h"

#include <unistd.h>

#include "daemon/base/text.h"
#include "daemon/commands/output.h"
#include "daemon/config/hostname.h"
#include "daemon/config/load.h"
#include "daemon/listing/queue_reader.h"
#include "daemon/setup/authinfo_store.h"
#include "daemon/system/directories.h"
#include "daemon/system/loading.h"

namespace hikyaku::commands {
namespace {

DaemonPaths paths_of(const config::Settings& settings) {
  DaemonPaths paths{system::control_socket_in(settings.runtime_directory), settings.spool.directory, {}, ""};
  if (!settings.spool.url.empty())
    paths.fleet = {.url = settings.spool.url,
                   .node = settings.node_name(),
                   .lease = settings.spool.lease,
                   .takeover = settings.spool.takeover};
  return paths;
}

std::string note_on(const config::Problems& problems, const DaemonPaths& paths) {
  std::size_t more = problems.size() - 1;
  return cat(
      config::to_text(problems.front()),
      more > 0 ? cat(" (and ", std::to_string(more), more > 1 ? " more problems)" : " more problem)") : "",
      "; run 'hikyakud --check'. Assuming the daemon's socket is ", paths.control_socket, " and its spool ",
      paths.spool);
}

}  // namespace

std::string SpoolPlace::shown() const {
  if (!fleet) return directory;
  auto address = postgresql::Address::parse(fleet->url);
  return address ? address->shown() : "the database";
}

Result<SpoolPlace, StartError> find_spool(std::string_view command, const SpoolOptions& options) {
  if (postgresql::is_database_url(options.directory))
    return SpoolPlace{
        .fleet = postgresql::SharedPlace{.url = options.directory, .node = config::default_hostname()}};
  if (!options.directory.empty()) return SpoolPlace{.directory = options.directory};
  auto paths = find_daemon(options.config);
  if (!paths)
    return fail(
        Exit::configuration,
        cat(paths.error().text, "\nname the configuration with -c FILE, or the spool with --directory DIR"));
  report_note(command, paths->note);
  return SpoolPlace{paths->spool, std::move(paths->fleet)};
}

Result<DaemonPaths, StartError> find_daemon(const std::string& config) {
  auto settings = config::load_file(config);
  if (settings) return paths_of(*settings);
  if (config != config::kDefaultConfig && ::access(config.c_str(), R_OK) != 0)
    return fail(Exit::configuration, config::to_text(settings.error(), "\n"));
  DaemonPaths paths = paths_of(config::understandable_settings(config));
  paths.note = note_on(settings.error(), paths);
  return paths;
}

Result<std::unique_ptr<spool::Disk>, StartError> open_disk(const std::string& directory) {
  auto disk = spool::open_disk(directory);
  if (!disk) return std::unexpected(listing::explain(spool::to_view_error(disk.error()), directory));
  return std::move(*disk);
}

Result<std::shared_ptr<spool::QueueView>, StartError> open_view(const SpoolPlace& place,
                                                                std::optional<mail::MailId> only) {
  if (!place.fleet) return listing::open_directory(place.directory, only);
  auto view = postgresql::DatabaseView::open(*place.fleet);
  if (!view) return std::unexpected(view.error());
  return std::shared_ptr<spool::QueueView>(std::move(*view));
}

dkim::KeyRingPtr readable_keys(std::string_view command, const config::Settings& settings) {
  const auto reader = system::reader_for(setup::daemon_account(settings.user));
  auto keys = dkim::load_key_ring(settings.dkim, reader);
  if (keys) return *keys;
  report_note(command, cat("whether it would be signed is not known: ", config::to_text(keys.error(), "; ")));
  return std::make_shared<const dkim::KeyRing>();
}

}  // namespace hikyaku::commands
