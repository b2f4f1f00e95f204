// SPDX-License-Identifier: MIT
#include "daemon/commands/control_client.h"

#include <httplib.h>
#include <unistd.h>

#include <cerrno>

#include "daemon/base/text.h"
#include "daemon/commands/output.h"

namespace hikyaku::commands {
namespace {

Exit exit_for(int status) {
  switch (status) {
    case 400: return Exit::usage;
    case 403: return Exit::no_permission;
    case 404: return Exit::no_input;
    case 409: return Exit::try_again;
    case 422: return Exit::damaged;
    case 503: return Exit::try_again;
    default: return Exit::internal;
  }
}

// The HTTP library does not report why it could not connect.
StartError unreachable(const std::string& socket) {
  if (::access(socket.c_str(), R_OK | W_OK) != 0 && errno == EACCES)
    return {Exit::no_permission,
            cat("only root, the daemon's user and members of `control.group` (default: adm) may use ", socket,
                "; to see your own mail, run mailq")};
  return {Exit::unavailable, cat("hikyakud is not running (nothing answers on ", socket,
                                 "); start it with 'systemctl start hikyaku'")};
}

StartError hung(const std::string& socket) {
  return {Exit::try_again, cat("hikyakud does not respond on ", socket,
                               "; if this lasts, restart it with 'systemctl restart hikyaku'")};
}

// Nor does the library distinguish a time-out from a lost connection.
enum class Way { ask, put };
Result<httplib::Response, StartError> ask(const std::string& socket, const std::string& target,
                                          const std::optional<std::string>& body, Duration timeout,
                                          Way way = Way::ask) {
  httplib::ClientImpl client(socket, 80);
  client.set_address_family(AF_UNIX);
  client.set_connection_timeout(timeout);
  client.set_read_timeout(timeout);
  client.set_default_headers({{"Host", "localhost"}});
  Instant end = SystemClock().now() + timeout;
  constexpr const char* kJson = "application/json";
  auto response = way == Way::put ? client.Put(target, body.value_or(""), kJson)
                  : body          ? client.Post(target, *body, kJson)
                                  : client.Get(target);
  if (response) return std::move(*response);
  if (SystemClock().now() >= end) return std::unexpected(hung(socket));
  if (response.error() == httplib::Error::Connection) return std::unexpected(unreachable(socket));
  return fail(Exit::try_again, cat("hikyakud closed the connection on ", socket,
                                   " before its answer was complete; try again"));
}

Result<ControlReply, StartError> understood(const httplib::Response& response) {
  auto json = parse_json(response.body);
  if (!json) return fail(Exit::internal, cat("hikyakud's answer is not valid JSON: ", json.error()));
  if (response.status == 200) return ControlReply{response.body, std::move(*json)};
  const JsonValue* error = json->find("error");
  bool says_why = error != nullptr && error->text() != nullptr;
  return fail(exit_for(response.status),
              says_why ? *error->text()
                       : cat("hikyakud answered with HTTP status ", std::to_string(response.status)));
}

}  // namespace

Result<FoundSocket, StartError> find_control_socket(const ControlOptions& options) {
  if (!options.socket.empty()) return FoundSocket{options.socket, ""};
  auto paths = find_daemon(options.config);
  if (paths) return FoundSocket{paths->control_socket, paths->note};
  return fail(Exit::configuration,
              cat(paths.error().text,
                  "\nname the configuration with -c FILE, or the daemon's socket with --socket PATH"));
}

Exit report_control(std::string_view command, const StartError& error) {
  Exit exit = report(command, error);
  return exit == Exit::unavailable ? Exit::try_again : exit;
}

// First sends a request that is answered at once, so that a hung daemon is noticed soon, then the real one,
// which may take long.
Result<ControlReply, StartError> ask_control(const std::string& socket, const std::string& target,
                                             const std::optional<std::string>& body,
                                             ControlTimeouts timeouts) {
  auto alive = ask(socket, "/v1/version", std::nullopt, timeouts.alive);
  if (!alive) return std::unexpected(alive.error());
  auto response = ask(socket, target, body, timeouts.answer);
  if (!response) return std::unexpected(response.error());
  return understood(*response);
}

Result<ControlReply, StartError> put_control(const std::string& socket, const std::string& target,
                                             const Secret& body) {
  const ControlTimeouts timeouts;
  auto response = ask(socket, target, std::string(body.reveal()), timeouts.answer, Way::put);
  if (!response) return std::unexpected(response.error());
  return understood(*response);
}

}  // namespace hikyaku::commands
