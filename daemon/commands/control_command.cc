// SPDX-License-Identifier: MIT
// `hikyaku status`, `hikyaku health` and `hikyaku reload`.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/control_client.h"
#include "daemon/commands/daemon_answers.h"
#include "daemon/commands/nagios.h"
#include "daemon/commands/output.h"
#include "daemon/config/load.h"
#include "daemon/system/port_owner.h"

namespace hikyaku::commands {
namespace {

constexpr Duration kHealthTimeout = 5s;

struct AskOptions {
  ControlOptions control;
  bool json = false;
  bool nagios = false;
  bool verbose = false;
};

// Another mail server on our port keeps the daemon from starting; under systemd only the socket unit's log
// says so.
std::string what_has_our_port(const std::string& config_file) {
  auto settings = config::load_file(config_file);
  return settings ? system::explain_other_mail_server(settings->listen.endpoints) : "";
}

// Monitoring shows standard output alone, and takes the exit codes of other commands for something else.
Exit plugin_status(const ControlOptions& options) {
  auto socket = find_control_socket(options);
  auto reply = socket ? ask_control(socket->path, "/v1/status") : std::unexpected(socket.error());
  const PluginReport report = reply ? plugin_report(reply->json) : plugin_report(reply.error());
  return print_all("hikyaku status", report.text, Reader::programs, report.exit());
}

Exit status(const AskOptions& options) {
  if (options.nagios) return plugin_status(options.control);
  constexpr std::string_view kCommand = "hikyaku status";
  auto socket = find_control_socket(options.control);
  if (!socket) return report(kCommand, socket.error());
  report_note(kCommand, socket->note);
  auto reply = ask_control(socket->path, options.verbose ? "/v1/status?verbose=1" : "/v1/status");
  if (!reply && reply.error().kind == Exit::unavailable)
    report_note(kCommand, what_has_our_port(options.control.config));
  if (!reply) return report_control(kCommand, reply.error());
  const Exit exit = needs_operator(reply->json) ? Exit::attention : Exit::ok;
  return options.json ? print_all(kCommand, reply->text, Reader::programs, exit)
                      : print_all(kCommand, status_text(reply->json), Reader::people, exit);
}

std::string kept_line(const JsonValue& reply) {
  std::vector<std::string> keys;
  for (const JsonValue& key : reply.list_of("needs_restart"))
    if (key.text() != nullptr) keys.push_back(printable(*key.text()));
  return keys.empty() ? "" : cat("needs a restart to change: ", join(keys, ", "), "\n");
}

// If the daemon answers, its answer says what is wrong with the file; the note is for when it does not.
Exit reload(const AskOptions& options) {
  constexpr std::string_view kCommand = "hikyaku reload";
  auto socket = find_control_socket(options.control);
  if (!socket) return report(kCommand, socket.error());
  auto reply = ask_control(socket->path, "/v1/reload", "");
  if (reply && options.json) return print_all(kCommand, reply->text, Reader::programs);
  if (reply) return print_all(kCommand, cat("reloaded\n", kept_line(reply->json)), Reader::people);
  if (reply.error().kind == Exit::damaged) return report(kCommand, {Exit::configuration, reply.error().text});
  report_note(kCommand, socket->note);
  return report_control(kCommand, reply.error());
}

void add_control_options(CLI::App& command, ControlOptions& options) {
  command.add_option("-c", options.config, "the daemon's configuration file, which names its socket")
      ->type_name("FILE")
      ->capture_default_str();
  command.add_option("--socket", options.socket, "the daemon's control socket; default: as configured")
      ->type_name("PATH");
}

struct HealthOptions {
  AskOptions asking;
  bool live = false;
  bool ready = false;
};

Exit tell_health(const HealthOptions& options, bool is_good, const std::string& words) {
  constexpr std::string_view kCommand = "hikyaku health";
  const Exit exit = is_good ? Exit::ok : Exit::attention;
  if (!options.asking.json) return print_all(kCommand, printable(words) + "\n", Reader::people, exit);
  return print_all(kCommand, JsonObject().add(is_good ? "health" : "error", words).text() + "\n",
                   Reader::programs, exit);
}

// For programs: one line of words, and yes or no. A daemon that is busy is not dead, but whoever asks decides.
Exit health(const HealthOptions& options) {
  constexpr std::string_view kCommand = "hikyaku health";
  if (options.live == options.ready)
    return report(kCommand,
                  {Exit::usage, "ask for one of --live (does it answer?) and --ready (does it take mail?)"});
  auto socket = find_control_socket(options.asking.control);
  if (!socket) return report(kCommand, socket.error());
  auto reply = ask_control(socket->path, options.live ? "/healthz?live=1" : "/healthz", std::nullopt,
                           {.alive = kHealthTimeout, .answer = kHealthTimeout});
  const JsonValue* words = reply ? reply->json.find("health") : nullptr;
  if (words != nullptr && words->text() != nullptr) return tell_health(options, true, *words->text());
  return tell_health(options, false, reply ? "the daemon's answer has no `health`" : reply.error().text);
}

void add_health_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<HealthOptions>();
  CLI::App* command = app.add_subcommand("health", "ask whether the daemon is alive, or takes mail");
  command->add_flag("--live", options->live, "whether it answers at all; if not, a restart may help");
  command->add_flag("--ready", options->ready, "whether it takes mail");
  command->add_flag("--json", options->asking.json, "print one JSON object, with `health` or `error`");
  add_control_options(*command, options->asking.control);
  command->footer(
      "For service managers and containers. A smarthost that is down is no reason for a no: mail is kept.\n"
      "Exit code: 0 yes, 1 no; why stands in one line.\n"
      "Example: hikyaku health --ready");
  command->callback([options, &chosen] { chosen = [options] { return health(*options); }; });
}

CLI::App& add(CLI::App& app, const std::string& name, const std::string& description, Action& chosen,
              Exit (*run)(const AskOptions&), const std::shared_ptr<AskOptions>& options) {
  CLI::App* command = app.add_subcommand(name, description);
  add_control_options(*command, options->control);
  command->callback([options, run, &chosen] { chosen = [options, run] { return run(*options); }; });
  return *command;
}

}  // namespace

void add_control_commands(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<AskOptions>();
  CLI::App& asking =
      add(app, "status", "show the daemon's queue, smarthosts and last delivery", chosen, status, options);
  auto* json = asking.add_flag("--json", options->json, "print one JSON object");
  asking.add_flag("--nagios", options->nagios, "as a plugin of Nagios or Icinga: states, performance data")
      ->excludes(json);
  asking.add_flag("--verbose,-v", options->verbose,
                  "also print what was said in each smarthost's last session that failed");
  asking.footer(
      "Exit code: 0 all is well, 1 something needs the operator, 75 the daemon does not answer.\n"
      "With --nagios: 0 OK, 1 WARNING (a smarthost is paused, mail is held, a node is away), 2 CRITICAL (no "
      "mail flows),\n"
      "3 UNKNOWN.");
  add_health_command(app, chosen);
  auto reloading = std::make_shared<AskOptions>();
  CLI::App& reloader =
      add(app, "reload", "make the daemon read its configuration again", chosen, reload, reloading);
  reloader.add_flag("--json", reloading->json, "print one JSON object");
  reloader.footer(
      "Exit code: 0 done, 75 the daemon does not answer, 78 the configuration is wrong and nothing has "
      "changed.");
}

}  // namespace hikyaku::commands
