// SPDX-License-Identifier: MIT
#include "daemon/commands/commands.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <sstream>

#include "daemon/base/text.h"
#include "daemon/commands/daemon_paths.h"
#include "daemon/commands/output.h"
#include "daemon/config/load.h"

namespace hikyaku::commands {
namespace {

constexpr const char* kAbout = "hikyaku watches and controls the local mail relay hikyakud.";

using Commands = std::vector<CLI::App*>;

Commands commands_of(CLI::App& app) { return app.get_subcommands(std::function<bool(CLI::App*)>()); }

// `-c FILE` before the sub-command's name becomes the default of the sub-command's own `-c`.
void set_config(CLI::App& app, const std::string& file) {
  for (CLI::App* command : commands_of(app)) {
    if (CLI::Option* option = command->get_option_no_throw("-c"))
      option->run_callback_for_default()->default_val(file);
    set_config(*command, file);
  }
}

// The innermost sub-command that was given, and the names that lead to it.
struct Named {
  CLI::App* command;
  std::string names = "hikyaku";
};
Named named_in(CLI::App& app) {
  Named named{&app};
  while (!named.command->get_subcommands().empty()) {
    named.command = named.command->get_subcommands().front();
    named.names += cat(" ", named.command->get_name());
  }
  return named;
}

std::vector<std::string> names_of(const Commands& commands) {
  std::vector<std::string> names;
  for (const CLI::App* command : commands) names.push_back(command->get_name());
  return names;
}

std::vector<std::string> options_of(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

std::string meant(std::string_view word, const std::vector<std::string>& known) {
  auto near = nearest(word, known);
  return near ? cat("; did you mean '", *near, "'?") : std::string();
}

std::string words_about(CLI::App& app, const CLI::ParseError& error) {
  CLI::App* command = named_in(app).command;
  std::vector<std::string> left = app.remaining(true);
  Commands commands = commands_of(*command);
  bool wants_command = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::RequiredError) &&
                       command->get_require_subcommand_min() > 0;
  if (left.empty())
    return wants_command ? cat("a sub-command is missing: ", join(names_of(commands), ", ")) : error.what();
  std::string word = printable(left.front(), 100);
  if (word.starts_with('-')) return cat("there is no option '", word, "'", meant(word, options_of(*command)));
  if (commands.empty()) return cat("'", word, "' was not expected");
  return cat("there is no sub-command '", word, "'", meant(word, names_of(commands)));
}

std::string line_about(CLI::App& app, const CLI::ParseError& error) {
  std::string text = words_about(app, error);
  while (text.ends_with('\n') || text.ends_with('.')) text.pop_back();
  std::ranges::replace(text, '\n', ' ');
  return text;
}

Exit explain_mistake(CLI::App& app, const CLI::ParseError& error) {
  const std::string names = named_in(app).names;
  const std::string text = line_about(app, error);
  return report(names,
                {Exit::usage, cat(text, text.ends_with('?') ? " See '" : "; see '", names, " --help'")});
}

// Prints the help or the version.
Exit answer(CLI::App& app, const CLI::ParseError& asked) {
  std::ostringstream text;
  app.exit(asked, text, text);
  Output output(STDOUT_FILENO);
  output.print_lines(text.str());
  return output.finish(Exit::ok, "hikyaku");
}

// `hikyaku help`, and `hikyaku help COMMAND…`.
void add_help_command(CLI::App& app, Action& chosen) {
  auto words = std::make_shared<std::vector<std::string>>();
  CLI::App* help = app.add_subcommand("help", "print this help, or that of COMMAND");
  help->add_option("COMMAND", *words, "the command to explain");
  help->callback([&chosen, words] {
    words->emplace_back("--help");
    chosen = [words = *words] { return understand_command_line(words)(); };
  });
}

void add_commands(CLI::App& app, Action& chosen) {
  app.set_version_flag("--version,-v", "hikyaku " HIKYAKU_VERSION);
  app.require_subcommand(1);
  app.add_option_function<std::string>(
         "-c", [&app](const std::string& file) { set_config(app, file); }, "the daemon's configuration file")
      ->type_name("FILE")
      ->default_str(config::kDefaultConfig)
      ->trigger_on_parse();
  add_control_commands(app, chosen);
  add_drain_command(app, chosen);
  add_setup_command(app, chosen);
  add_check_command(app, chosen);
  add_queue_command(app, chosen);
  add_spool_command(app, chosen);
  add_explain_command(app, chosen);
  add_authinfo_command(app, chosen);
  add_dkim_command(app, chosen);
  add_oauth_command(app, chosen);
  add_config_command(app, chosen);
  add_presets_command(app, chosen);
  add_probe_command(app, chosen);
  add_import_command(app, chosen);
  add_demo_command(app, chosen);
  add_sink_command(app, chosen);
  add_completion_command(app, chosen);
  add_help_command(app, chosen);
  app.add_subcommand("version", "print the version")->callback([&chosen] {
    chosen = [] { return std::puts("hikyaku " HIKYAKU_VERSION) < 0 ? Exit::io : Exit::ok; };
  });
}

}  // namespace

void add_spool_options(CLI::App& command, SpoolOptions& options) {
  command.add_option("-c", options.config, "the daemon's configuration file, which names the spool")
      ->type_name("FILE")
      ->capture_default_str();
  command
      .add_option("--directory", options.directory,
                  "read this spool, or copy of a spool, instead; or a shared one")
      ->type_name("DIR|URL");
}

Action understand_command_line(std::vector<std::string> arguments) {
  CLI::App app(kAbout, "hikyaku");
  Action chosen;
  add_commands(app, chosen);
  std::ranges::reverse(arguments);
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    bool was_asked_for = error.get_exit_code() == 0;  // help, version
    Exit exit = was_asked_for ? answer(app, error) : explain_mistake(app, error);
    return [exit] { return exit; };
  }
  return chosen;
}

std::optional<std::string> mistake_in(std::vector<std::string> arguments) {
  CLI::App app(kAbout, "hikyaku");
  Action chosen;
  add_commands(app, chosen);
  std::ranges::reverse(arguments);
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) return line_about(app, error);  // 0: help, version
  }
  return std::nullopt;
}

}  // namespace hikyaku::commands
