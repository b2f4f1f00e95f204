// SPDX-License-Identifier: MIT
// `hikyaku authinfo`: puts users and passwords into the credentials file and takes them out. A password is typed
// without echo or comes from a file; on the command line every user of the machine could read it.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/control_client.h"
#include "daemon/commands/output.h"
#include "daemon/commands/password.h"
#include "daemon/config/hostname.h"
#include "daemon/config/load.h"
#include "daemon/setup/authinfo_store.h"

namespace hikyaku::commands {
namespace {

using config::AuthinfoEntry;
using setup::AuthinfoStore;

constexpr std::string_view kAuthinfo = "hikyaku authinfo";
constexpr std::string_view kAnyHost = "default";  // netrc's word

struct AuthinfoOptions {
  ControlOptions control;
  std::string host;
  std::string port;
  std::string user;
  std::string password_file;
  bool json = false;
};

Result<setup::AuthinfoSelection, StartError> selection_of(const AuthinfoOptions& options) {
  setup::AuthinfoSelection selection;
  auto host = options.host == kAnyHost ? std::optional<std::string>("") : config::parse_host(options.host);
  if (!host)
    return fail(Exit::usage, cat("HOST must be a name or an address alone, or ", kAnyHost,
                                 " for any host; a port goes behind --port"));
  selection.host = *host;
  if (!options.port.empty()) selection.port = config::parse_port(options.port);
  if (!options.port.empty() && !selection.port)
    return fail(Exit::usage, "--port takes a number from 1 to 65535");
  if (!options.user.empty()) selection.user = options.user;
  return selection;
}

Result<std::string, StartError> user_of(const AuthinfoOptions& options, system::Terminal& terminal) {
  if (!options.user.empty()) return options.user;
  if (!terminal.is_interactive()) return fail(Exit::usage, "name the user with --user");
  auto user = terminal.ask(cat("User name at ", options.host, ": "));
  if (!user || user->empty()) return fail(Exit::usage, "no user name was given");
  return std::move(*user);
}

Result<AuthinfoEntry, StartError> entry_of(const AuthinfoOptions& options) {
  auto selection = selection_of(options);
  if (!selection) return std::unexpected(selection.error());
  system::Terminal terminal(STDIN_FILENO, STDERR_FILENO);
  auto user = user_of(options, terminal);
  if (!user) return std::unexpected(user.error());
  auto password = get_password(terminal, options.password_file, cat("Password of ", *user, " (not shown): "));
  if (!password) return std::unexpected(password.error());
  AuthinfoEntry entry{selection->host, selection->port, {}};
  entry.credentials.user = std::move(*user);
  entry.credentials.password = std::move(*password);
  return entry;
}

// A change counts from the next reload on.
std::string how_to_activate(const ControlOptions& control) {
  auto socket = find_control_socket(control);
  if (!socket) return "";
  auto reply = ask_control(socket->path, "/v1/status");
  const bool is_running = reply || reply.error().kind != Exit::unavailable;
  return is_running ? "run 'hikyaku reload' to have the daemon use this\n" : "";
}

// Of several users of one host the first is used, unless the configuration names another.
std::string who_is_used_instead(const AuthinfoStore& store, const AuthinfoEntry& entry) {
  auto entries = store.list();
  if (!entries || entry.host.empty()) return "";
  auto used = config::find_credentials(*entries, {entry.host, entry.port.value_or(0)});
  if (!used || used->user == entry.credentials.user) return "";
  return cat("another user of this host stands above, in line ",
             used->origin.substr(used->origin.rfind(':') + 1), ": `user: ", printable(entry.credentials.user),
             "` in the smarthost's entry of the configuration "
             "chooses this one\n");
}

Exit say(const std::string& text) {
  Output output(STDOUT_FILENO);
  output.print_lines(text);
  return output.finish(Exit::ok, kAuthinfo);
}

Exit add_entry(const AuthinfoOptions& options) {
  auto store = AuthinfoStore::of(options.control.config);
  if (!store) return report(kAuthinfo, store.error());
  auto entry = entry_of(options);
  if (!entry) return report(kAuthinfo, entry.error());
  auto change = store->put(*entry);
  if (!change) return report(kAuthinfo, change.error());
  return say(cat(change->is_new ? "added: " : "replaced: ", setup::to_text(*entry), " (", store->path(), ":",
                 std::to_string(change->line), ", ", config::to_text(change->notation), "'s notation)\n",
                 who_is_used_instead(*store, *entry), how_to_activate(options.control)));
}

Exit remove_entry(const AuthinfoOptions& options) {
  auto store = AuthinfoStore::of(options.control.config);
  if (!store) return report(kAuthinfo, store.error());
  auto selection = selection_of(options);
  if (!selection) return report(kAuthinfo, selection.error());
  auto removed = store->remove(*selection);
  if (!removed) return report(kAuthinfo, removed.error());
  return say(cat("removed: ", setup::to_text(*removed), "\n", how_to_activate(options.control)));
}

JsonObject to_object(const AuthinfoEntry& entry) {
  return JsonObject()
      .add("host", unless_empty(entry.host))
      .add("port", entry.port)
      .add("user", std::string_view(entry.credentials.user))
      .add("notation", config::to_text(entry.notation))
      .add("line", entry.line);
}

std::string to_line(const AuthinfoEntry& entry) {
  return cat("line ", std::to_string(entry.line), ": ", setup::to_text(entry), " (",
             config::to_text(entry.notation), "'s notation)\n");
}

Exit list_entries(const AuthinfoOptions& options) {
  auto store = AuthinfoStore::of(options.control.config);
  if (!store) return report(kAuthinfo, store.error());
  auto entries = store->list();
  if (!entries) return report(kAuthinfo, entries.error());
  std::string text;
  for (const AuthinfoEntry& entry : *entries)
    text += options.json ? to_object(entry).text() + "\n" : to_line(entry);
  if (entries->empty() && !options.json) text = cat(store->path(), " has no entries\n");
  return say(text);
}

}  // namespace

void add_authinfo_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<AuthinfoOptions>();
  CLI::App* authinfo = app.add_subcommand("authinfo", "change the users and passwords for smarthosts");
  authinfo->require_subcommand(1);
  authinfo->add_option("-c", options->control.config, "the daemon's configuration file, which names authinfo")
      ->type_name("FILE")
      ->capture_default_str();
  CLI::App* add = authinfo->add_subcommand("add", "put in a user and password, or replace the password");
  CLI::App* list = authinfo->add_subcommand("list", "show hosts and users, without passwords");
  CLI::App* remove = authinfo->add_subcommand("remove", "take out a user and password");
  for (CLI::App* command : {add, remove}) {
    command->add_option("HOST", options->host, "the smarthost's name or address; default: any host")
        ->required();
    command->add_option("--port", options->port, "for this port of the host alone")->type_name("PORT");
    command->add_option("--user", options->user, "the user name at the host")->type_name("USER");
  }
  add->add_option("--password-file", options->password_file, "read the password from FILE; -: standard input")
      ->type_name("FILE");
  add->footer(
      "Without --password-file the password is asked for, or read from standard input if that is no "
      "terminal.");
  list->add_flag("--json", options->json, "print one JSON object a line");
  for (CLI::App* command : {add, list, remove}) command->fallthrough();
  add->callback([options, &chosen] { chosen = [options] { return add_entry(*options); }; });
  list->callback([options, &chosen] { chosen = [options] { return list_entries(*options); }; });
  remove->callback([options, &chosen] { chosen = [options] { return remove_entry(*options); }; });
}

}  // namespace hikyaku::commands
