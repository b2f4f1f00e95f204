// SPDX-License-Identifier: MIT
#include "daemon/app/control_client.h"

#include <httplib.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>

#include "daemon/app/socket_places.h"
#include "daemon/base/text.h"
#include "daemon/config/load.h"

namespace hikyaku::app {
namespace {

constexpr std::time_t kPatience = 120;  // seconds; a reload looks up names

Exit exit_for(int status) {
  switch (status) {
    case 400: return Exit::usage;
    case 403: return Exit::no_permission;
    case 404: return Exit::no_input;
    case 422: return Exit::damaged;
    case 503: return Exit::try_again;
    default: return Exit::internal;
  }
}

// The library does not say why it could not connect.
StartError unreachable(const std::string& socket) {
  if (::access(socket.c_str(), R_OK | W_OK) != 0 && errno == EACCES)
    return {Exit::no_permission, cat(socket,
                                     " is for root, the daemon's user and the members of `control.group` "
                                     "(adm); your own mail shows mailq")};
  return {Exit::unavailable, cat("no hikyakud answers on ", socket, "; does it run?")};
}

Result<ControlReply, StartError> understood(const httplib::Response& response) {
  auto json = parse_json(response.body);
  if (!json) return fail(Exit::internal, cat("the daemon's answer is no JSON: ", json.error()));
  if (response.status == 200) return ControlReply{response.body, std::move(*json)};
  const JsonValue* error = json->find("error");
  bool says_why = error != nullptr && error->text() != nullptr;
  return fail(exit_for(response.status),
              says_why ? *error->text() : cat("the daemon answered ", std::to_string(response.status)));
}

}  // namespace

void add_control_options(CLI::App& command, ControlWords& words) {
  command.add_option("-c", words.config, "the configuration, which says where the daemon's socket is")
      ->type_name("FILE")
      ->capture_default_str();
  command.add_option("--socket", words.socket, "the socket itself")->type_name("PATH");
}

Result<std::string, StartError> find_control_socket(const ControlWords& words) {
  if (!words.socket.empty()) return words.socket;
  auto settings = config::load_file(words.config);
  if (settings) return control_socket_in(settings->runtime_directory);
  auto lines = config::to_lines(settings.error());
  lines.emplace_back("where the daemon is, -c FILE or --socket PATH can tell");
  return fail(Exit::configuration, join(lines, "\n"));
}

Result<ControlReply, StartError> ask_control(const std::string& socket, const std::string& target,
                                             const std::optional<std::string>& body) {
  httplib::ClientImpl client(socket, 80);
  client.set_address_family(AF_UNIX);
  client.set_read_timeout(kPatience);
  client.set_default_headers({{"Host", "localhost"}});
  auto response = body ? client.Post(target, *body, "application/json") : client.Get(target);
  if (response) return understood(*response);
  if (response.error() == httplib::Error::Connection) return std::unexpected(unreachable(socket));
  return fail(Exit::unavailable, cat(socket, ": the daemon's answer broke off"));
}

}  // namespace hikyaku::app
