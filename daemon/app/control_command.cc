// SPDX-License-Identifier: MIT
// `hikyaku status` and `hikyaku reload`: what the daemon says, and what it is told.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "daemon/app/commands.h"
#include "daemon/app/control_client.h"
#include "daemon/app/output.h"
#include "daemon/app/spool_access.h"
#include "daemon/app/status_text.h"
#include "daemon/base/text.h"

namespace hikyaku::app {
namespace {

struct Words {
  ControlWords control;
  bool json = false;
};

Exit print(std::string_view command, const std::string& text) {
  Output output(STDOUT_FILENO);
  output.print(text);
  return output.finish(Exit::ok, command);
}

using Show = std::function<Exit(const ControlReply&)>;

Exit ask(std::string_view command, const Words& words, const std::string& target,
         const std::optional<std::string>& body, const Show& show) {
  auto socket = find_control_socket(words.control);
  if (!socket) return report(command, socket.error());
  auto reply = ask_control(*socket, target, body);
  return reply ? show(*reply) : report(command, reply.error());
}

Exit status(const Words& words) {
  constexpr std::string_view kCommand = "hikyaku status";
  return ask(kCommand, words, "/v1/status", std::nullopt, [&](const ControlReply& reply) {
    return print(kCommand, words.json ? reply.text : status_text(reply.json));
  });
}

std::string kept_line(const JsonValue& reply) {
  const JsonValue* kept = reply.find("needs_restart");
  std::vector<std::string> keys;
  if (kept != nullptr && kept->list() != nullptr)
    for (const JsonValue& key : *kept->list())
      if (key.text() != nullptr) keys.push_back(printable(*key.text()));
  return keys.empty() ? "" : cat("needs a restart to change: ", join(keys, ", "), "\n");
}

Exit reload(const Words& words) {
  constexpr std::string_view kCommand = "hikyaku reload";
  return ask(kCommand, words, "/v1/reload", "", [&](const ControlReply& reply) {
    return print(kCommand, cat("reloaded\n", kept_line(reply.json)));
  });
}

CLI::App& add(CLI::App& app, const std::string& name, const std::string& description, Action& chosen,
              Exit (*run)(const Words&), const std::shared_ptr<Words>& words) {
  CLI::App* command = app.add_subcommand(name, description);
  add_control_options(*command, words->control);
  command->callback([words, run, &chosen] { chosen = [words, run] { return run(*words); }; });
  return *command;
}

}  // namespace

void add_control_commands(CLI::App& app, Action& chosen) {
  auto words = std::make_shared<Words>();
  add(app, "status", "what the daemon does: its queue, its smarthosts, the last delivery", chosen, status,
      words)
      .add_flag("--json", words->json, "as one JSON object");
  add(app, "reload", "has the daemon read its configuration again, and says what is wrong with it", chosen,
      reload, std::make_shared<Words>());
}

}  // namespace hikyaku::app
