// SPDX-License-Identifier: MIT
// `hikyaku import`: reads another relay's files, prints our configuration, and puts it in place with --write.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/output.h"
#include "daemon/config/hostname.h"
#include "daemon/config/load.h"
#include "daemon/config/read_file.h"
#include "daemon/import/import.h"
#include "daemon/setup/installing.h"

namespace hikyaku::commands {
namespace {

constexpr std::string_view kImport = "hikyaku import";

struct ImportOptions {
  std::string config = config::kDefaultConfig;
  std::string system;
  std::string file;
  bool write = false;
};

struct Import {
  const importing::System& system;
  std::string file;
  importing::Imported imported;
};

std::vector<std::string> names_of_systems() {
  std::vector<std::string> names;
  for (const importing::System& system : importing::systems()) names.emplace_back(system.name);
  return names;
}

Result<std::string, std::string> read_text(const std::string& path) {
  auto file = config::read_file(path);
  if (file) return std::move(file->text);
  const bool is_missing = file.error().kind == config::FileErrorKind::missing;
  return std::unexpected(is_missing ? "does not exist" : file.error().text);
}

// A directory stands for the main file in it.
std::string file_for(const ImportOptions& options, const importing::System& system) {
  if (options.file.empty()) return std::string(system.file);
  std::error_code error;
  const bool is_directory = std::filesystem::is_directory(options.file, error);
  const std::string_view name = system.file.substr(system.file.rfind('/'));
  return is_directory ? cat(options.file, name) : options.file;
}

Result<Import, StartError> read_other(const ImportOptions& options) {
  const importing::System* system = importing::find_system(options.system);
  if (system == nullptr) {
    auto meant = nearest(options.system, names_of_systems());
    return fail(Exit::usage,
                cat("'", printable(options.system, 60), "' cannot be imported; there are ",
                    join(names_of_systems(), ", "), meant ? cat("; did you mean ", *meant, "?") : ""));
  }
  std::string file = file_for(options, *system);
  auto text = read_text(file);
  if (!text)
    return fail(Exit::no_input,
                cat(file, " ", text.error(), options.file.empty() ? "; name the file to read" : ""));
  return Import{*system, file, system->read(*text, file, read_text)};
}

// What was made can be used: our own mistake, if it cannot.
Result<void, StartError> verify(const Import& import) {
  if (import.imported.settings.smarthosts.empty())
    return fail(Exit::damaged,
                cat(import.file, " names no server that mail can be handed to, as the lines above say"));
  auto loaded = config::load_text(to_configuration(import.imported, import.system, import.file),
                                  "hikyaku.yaml", {"localhost.localdomain", ""});
  if (!loaded) return fail(Exit::configuration, config::to_text(loaded.error(), "\n"));
  return {};
}

// What the other relay's files do not say stays as it is.
void keep_own(const config::Settings& own, config::Settings& imported) {
  const config::Settings usual = importing::Imported().settings;
  auto keep = [&](auto... members) {
    ((imported.*members == usual.*members ? void(imported.*members = own.*members) : void()), ...);
  };
  using S = config::Settings;
  keep(&S::listen, &S::allow, &S::user, &S::authinfo, &S::aliases, &S::local_mail, &S::senders,
       &S::masquerade, &S::copy_to, &S::runtime_directory, &S::shutdown_grace, &S::message, &S::spool,
       &S::memory, &S::limits, &S::submit, &S::queue, &S::control, &S::log, &S::dns);
  const bool is_named = !config::is_localhost(own.hostname);  // else it is what stands for no name
  if (is_named) keep(&S::hostname);
  if (!config::is_localhost(own.domain)) keep(&S::domain);
}

config::Authinfo entries_of(const importing::Imported& imported) {
  config::Authinfo entries;
  for (const importing::Login& login : imported.logins) entries.push_back(login.entry);
  return entries;
}

Result<std::vector<std::string>, StartError> put_in_place(const ImportOptions& options, Import& import) {
  auto existing = setup::find_existing(options.config);
  if (!existing) return std::unexpected(existing.error());
  keep_own(existing->settings, import.imported.settings);
  const setup::AuthinfoStore store(existing->settings.authinfo.path,
                                   setup::daemon_account(existing->settings.user));
  return setup::install(*existing, to_configuration(import.imported, import.system, import.file), store,
                        entries_of(import.imported), "import");
}

std::string next_steps(const Import& import) {
  const bool is_daemon = import.system.name == "postfix" || import.system.name == "sendmail" ||
                         import.system.name == "nullmailer";
  return cat("\nNext: hikyaku check\n", is_daemon
                                            ? cat("Then, for port 25: systemctl disable --now ",
                                                  import.system.name, " && systemctl enable --now hikyaku\n")
                                            : std::string("Then: systemctl enable --now hikyaku\n"));
}

Exit import_configuration(const ImportOptions& options) {
  auto import = read_other(options);
  if (!import) return report(kImport, import.error());
  Output output(STDOUT_FILENO);
  output.print(to_page(import->imported, import->system, import->file));
  Exit exit = output.finish(Exit::ok, kImport);
  if (auto usable = verify(*import); !usable) return report(kImport, usable.error());
  if (!options.write || exit != Exit::ok) return exit;
  auto lines = put_in_place(options, *import);
  if (!lines) return report(kImport, lines.error());
  output.print(cat("\n", join(*lines, "\n"), "\n", next_steps(*import)));
  return output.finish(Exit::ok, kImport);
}

}  // namespace

void add_import_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<ImportOptions>();
  CLI::App* command = app.add_subcommand(
      "import", "make hikyaku's configuration of another relay's, and say what has no counterpart");
  command->add_option("SYSTEM", options->system, join(names_of_systems(), ", "))->required();
  command->add_option("FILE", options->file, "its configuration file; default: where it usually is");
  command->add_flag("--write", options->write,
                    "put the configuration and the log-ins in place, and keep a copy of what was there");
  command->add_option("-c", options->config, "the configuration file to write")
      ->type_name("FILE")
      ->capture_default_str();
  command->footer(
      "What is printed holds no password, and can be saved as it is. No command that a configuration names "
      "is run.");
  command->callback([options, &chosen] { chosen = [options] { return import_configuration(*options); }; });
}

}  // namespace hikyaku::commands
