// SPDX-License-Identifier: MIT
#include "daemon/commands/completion.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "daemon/base/text.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/completion_scripts.h"
#include "daemon/commands/output.h"
#include "daemon/config/presets.h"

namespace hikyaku::commands {
namespace {

using Kind = Candidates::Kind;

Candidates preset_names() {
  Candidates names{Kind::words, {}};
  for (const config::Preset& preset : config::presets()) names.words.emplace_back(preset.name);
  return names;
}

std::vector<const CLI::App*> commands_in(const CLI::App& app) {
  return app.get_subcommands(std::function<bool(const CLI::App*)>());
}

Candidates command_names(const CLI::App& app) {
  Candidates names{Kind::words, {}};
  for (const CLI::App* command : commands_in(app)) names.words.push_back(command->get_name());
  return names;
}

// "TEXT:{age,domain}" names the words themselves.
Candidates words_of(std::string_view type) {
  const std::size_t begin = type.find('{');
  const std::size_t end = type.find('}');
  if (begin == type.npos || end == type.npos) return {};
  Candidates candidates{Kind::words, {}};
  for (std::string_view word : split(type.substr(begin + 1, end - begin - 1), ','))
    candidates.words.emplace_back(word);
  return candidates;
}

// `kind` is the argument's name in the help, as "ID" or "FILE".
Candidates candidates_for(const CLI::App& command, std::string_view kind) {
  if (kind == "ID") return {Kind::mails, {}};
  if (kind == "NAME")
    return command.get_name() == "presets" ? preset_names() : Candidates{Kind::smarthosts, {}};
  if (kind == "COMMAND") return command_names(*command.get_parent());
  if (kind == "FILE" || kind == "DIR" || kind == "PATH" || kind.ends_with(":DIR")) return {Kind::files, {}};
  return words_of(kind);
}

CompletedOption option_from(const CLI::App& command, const CLI::Option& option) {
  CompletedOption completed{option.get_lnames(), option.get_snames(), option.get_description(), false, {}};
  completed.takes_value = option.get_items_expected_max() > 0;
  if (completed.takes_value) completed.value = candidates_for(command, option.get_type_name());
  return completed;
}

// An inner command's --help hides that of the command around it.
bool has_option(const CompletedCommand& completed, const CLI::Option& option) {
  return std::ranges::any_of(completed.options, [&](const CompletedOption& known) {
    return known.long_names == option.get_lnames() && known.short_names == option.get_snames();
  });
}

void add_options(const CLI::App& command, CompletedCommand& completed) {
  for (const CLI::Option* option : command.get_options())
    if (!option->get_positional() && !has_option(completed, *option))
      completed.options.push_back(option_from(command, *option));
  if (command.get_fallthrough() && command.get_parent() != nullptr)
    add_options(*command.get_parent(), completed);
}

void add_argument(const CLI::App& command, CompletedCommand& completed) {
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_positional()) continue;
    const std::string name = option->get_single_name();
    completed.argument = candidates_for(command, name);
    if (completed.argument.kind == Kind::none) completed.argument = words_of(option->get_type_name());
    return;  // the first one; what comes behind it is a file, which shells complete by themselves
  }
}

void add_command(const CLI::App& command, const std::string& path, std::vector<CompletedCommand>& all) {
  CompletedCommand completed{.path = path, .commands = {}, .options = {}, .argument = {}};
  for (const CLI::App* inner : commands_in(command))
    completed.commands.push_back({inner->get_name(), inner->get_description()});
  add_options(command, completed);
  add_argument(command, completed);
  all.push_back(std::move(completed));
  for (const CLI::App* inner : commands_in(command))
    add_command(*inner, path.empty() ? inner->get_name() : cat(path, " ", inner->get_name()), all);
}

}  // namespace

std::vector<CompletedCommand> completed_commands(const CLI::App& app) {
  std::vector<CompletedCommand> all;
  add_command(app, "", all);
  return all;
}

void add_completion_command(CLI::App& app, Action& chosen) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("completion", "print the script that completes hikyaku's command line in a shell");
  command->add_option("SHELL", *shell, "the shell it is for")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->footer("Example: hikyaku completion bash > /etc/bash_completion.d/hikyaku");
  // The tree of commands is gone when actions run.
  command->callback([&app, &chosen, shell] {
    chosen = [script = completion_script(*shell, completed_commands(app))] {
      Output output(STDOUT_FILENO);
      output.print(script);
      return output.finish(Exit::ok, "hikyaku completion");
    };
  });
}

}  // namespace hikyaku::commands
