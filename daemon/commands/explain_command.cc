// SPDX-License-Identifier: MIT
// `hikyaku explain`: asks the files and, for the smarthosts' state, the daemon.
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <memory>

#include "daemon/base/text.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/control_client.h"
#include "daemon/commands/daemon_paths.h"
#include "daemon/commands/explain.h"
#include "daemon/commands/output.h"
#include "daemon/config/load.h"
#include "daemon/system/accounts.h"

namespace hikyaku::commands {
namespace {

constexpr std::string_view kExplain = "hikyaku explain";
constexpr std::size_t kLongestMessage = 1U << 20;  // of which only the header counts

struct ExplainOptions {
  ControlOptions control;
  ExplainQuestion question;
  bool json = false;
};

// Nobody has to type a message: a terminal is not read.
std::string message_on_standard_input() {
  struct stat status{};
  if (::fstat(STDIN_FILENO, &status) != 0 || !(S_ISREG(status.st_mode) || S_ISFIFO(status.st_mode)))
    return "";
  std::string message(kLongestMessage, '\0');
  std::size_t filled = 0;
  while (filled < message.size()) {
    const ssize_t got = ::read(STDIN_FILENO, message.data() + filled, message.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    filled += static_cast<std::size_t>(got);
  }
  message.resize(filled);
  return message;
}

SmarthostTroubles ask_for_troubles(const ControlOptions& options) {
  auto socket = find_control_socket(options);
  if (!socket) return std::nullopt;
  auto reply = ask_control(socket->path, "/v1/status");
  return reply ? troubles_in(reply->json) : std::nullopt;
}

Exit explain_message(const ExplainOptions& options) {
  auto settings = config::load_file(options.control.config);
  if (!settings) return report(kExplain, {Exit::configuration, config::to_text(settings.error(), "\n")});
  const auto aliases = config::load_aliases(settings->aliases);
  ExplainQuestion question = options.question;
  question.message = message_on_standard_input();
  const auto troubles = ask_for_troubles(options.control);
  if (!troubles)
    report_note(kExplain, "the daemon does not answer, so the state of its smarthosts is not known");
  auto explanation = explain(
      *settings, aliases.aliases, question, troubles,
      [](const std::string& name) { return system::is_user(name).value_or(false); },
      *readable_keys(kExplain, *settings));
  if (!explanation) return report(kExplain, {Exit::usage, explanation.error()});
  Output output(STDOUT_FILENO);
  options.json ? output.print(to_json_object(*explanation).text() + "\n")
               : output.print_lines(to_text(*explanation));
  return output.finish(Exit::ok, kExplain);
}

}  // namespace

void add_explain_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<ExplainOptions>();
  CLI::App* command = app.add_subcommand(
      "explain", "say which way a message would take, and what would be sent; sends nothing");
  command->add_option("-c", options->control.config, "the daemon's configuration file")
      ->type_name("FILE")
      ->capture_default_str();
  command->add_option("--from", options->question.from, "the sender; without it <>, as of a bounce")
      ->type_name("ADDRESS");
  command->add_option("--to", options->question.to, "a recipient; may be given several times")
      ->type_name("ADDRESS")
      ->required();
  command->add_flag("--json", options->json, "print one JSON object");
  command->footer("A message on standard input shows the header as it would leave.");
  command->callback([options, &chosen] { chosen = [options] { return explain_message(*options); }; });
}

}  // namespace hikyaku::commands
