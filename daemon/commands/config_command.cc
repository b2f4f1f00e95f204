// SPDX-License-Identifier: MIT
// `hikyaku config show`: the configuration as it is in effect, each value with where it comes from.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/output.h"
#include "daemon/config/effective.h"
#include "daemon/config/load.h"
#include "daemon/setup/authinfo_store.h"

namespace hikyaku::commands {
namespace {

constexpr std::string_view kConfigShow = "hikyaku config show";

struct ConfigOptions {
  std::string config = config::kDefaultConfig;
  bool json = false;
};

Result<config::Authinfo, StartError> credentials_for(const config::Settings& settings) {
  if (settings.authinfo.given) return *config::load_authinfo(settings.authinfo, {});  // no file is read
  return setup::AuthinfoStore(settings.authinfo.path, setup::daemon_account(settings.user)).list();
}

// What cannot be read, or is refused, is told; the rest is shown all the same.
void attach_all_credentials(config::Settings& settings) {
  auto entries = credentials_for(settings);
  if (!entries) return report_note(kConfigShow, entries.error().text);
  for (mail::Smarthost& smarthost : settings.smarthosts) config::attach_credentials(smarthost, *entries);
}

std::string to_json_text(const std::vector<config::EffectiveValue>& values) {
  JsonList list;
  for (const config::EffectiveValue& value : values)
    if (value.kind == config::EffectiveValue::Kind::value)
      list.add(JsonObject()
                   .add("key", std::string_view(value.path))
                   .add("value", value.value)
                   .add("from", unless_empty(value.origin)));
  return cat(JsonObject().add("settings", list).text(), "\n");
}

Exit show_config(const ConfigOptions& options) {
  auto settings = config::load_file(options.config);
  if (!settings) return report(kConfigShow, {Exit::configuration, config::to_text(settings.error(), "\n")});
  auto source = config::find_source(options.config, config::this_environment());
  if (!source) return report(kConfigShow, {Exit::configuration, config::to_text(source.error(), "\n")});
  attach_all_credentials(*settings);
  const auto values = config::effective_values(*settings, *source);
  Output output(STDOUT_FILENO);
  output.print(options.json ? to_json_text(values) : config::to_yaml(values));
  return output.finish(Exit::ok, kConfigShow);
}

}  // namespace

void add_config_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<ConfigOptions>();
  CLI::App* config = app.add_subcommand("config", "show the configuration that is in effect");
  config->require_subcommand(1);
  config->add_option("-c", options->config, "the daemon's configuration file")
      ->type_name("FILE")
      ->capture_default_str();
  CLI::App* show = config->add_subcommand(
      "show", "print every value, with the file and line it comes from, or that it is a default");
  show->add_flag("--json", options->json, "print one JSON object");
  show->fallthrough();
  show->callback([options, &chosen] { chosen = [options] { return show_config(*options); }; });
}

}  // namespace hikyaku::commands
