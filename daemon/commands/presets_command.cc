// SPDX-License-Identifier: MIT
// `hikyaku presets`: the providers that are known, and one of them in full.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "daemon/base/text.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/output.h"
#include "daemon/commands/preset_pages.h"

namespace hikyaku::commands {
namespace {

constexpr std::string_view kPresets = "hikyaku presets";

struct PresetsOptions {
  std::string name;
  bool json = false;
};

std::string all_as_json() {
  std::string lines;
  for (const config::Preset& preset : config::presets()) lines += to_json_object(preset).text() + "\n";
  return lines;
}

Exit print_json(std::string_view lines) {
  Output output(STDOUT_FILENO);
  output.print(lines);
  return output.finish(Exit::ok, kPresets);
}

Exit print_page(std::string_view page) {
  Output output(STDOUT_FILENO);
  output.print_lines(page);
  return output.finish(Exit::ok, kPresets);
}

Exit show_presets(const PresetsOptions& options) {
  if (options.name.empty())
    return options.json ? print_json(all_as_json()) : print_page(preset_table(terminal_width()));
  const config::Preset* preset = config::find_preset(options.name);
  if (preset == nullptr) preset = config::preset_of_host(options.name);
  if (preset == nullptr) preset = config::preset_of_domain(options.name);
  if (preset == nullptr)
    return report(kPresets, {Exit::usage, cat("'", printable(options.name, 100), "' is the name of no preset",
                                              config::explain_unknown_preset(options.name))});
  return options.json ? print_json(to_json_object(*preset).text() + "\n") : print_page(preset_page(*preset));
}

}  // namespace

void add_presets_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<PresetsOptions>();
  CLI::App* command =
      app.add_subcommand("presets", "list the providers whose settings are known, or what one of them sets");
  command->add_option("NAME", options->name, "a preset, a provider's host, or the domain of an address");
  command->add_flag("--json", options->json, "print JSON, an object a line");
  command->callback([options, &chosen] { chosen = [options] { return show_presets(*options); }; });
}

}  // namespace hikyaku::commands
