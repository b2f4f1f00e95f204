// SPDX-License-Identifier: MIT
// `hikyaku setup`: gives the dialogue (daemon/setup) its terminal, files, network and daemon.
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <memory>

#include "daemon/base/text.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/control_client.h"
#include "daemon/commands/output.h"
#include "daemon/commands/password.h"
#include "daemon/commands/trials.h"
#include "daemon/config/load.h"
#include "daemon/setup/installing.h"
#include "daemon/setup/setup.h"
#include "daemon/system/terminal.h"

namespace hikyaku::commands {
namespace {

constexpr std::string_view kSetup = "hikyaku setup";

struct SetupOptions {
  std::string config = config::kDefaultConfig;
  std::optional<std::string> host;
  std::optional<std::string> user;
  std::optional<std::string> from;
  std::optional<std::string> root_mail;
  std::optional<std::string> test_to;
  std::string password_file;
  std::optional<std::string> client_id;
  bool yes = false;
};

class TerminalTalk final : public setup::Talk {
 public:
  explicit TerminalTalk(system::Terminal& terminal) : terminal_(terminal) {}
  void say(std::string_view text) override { terminal_.say(text); }
  std::optional<std::string> ask(std::string_view question) override { return terminal_.ask(question); }
  std::optional<Secret> ask_secret(std::string_view question) override {
    return terminal_.ask_secret(question);
  }

 private:
  system::Terminal& terminal_;
};

Result<setup::Given, StartError> given_by(const SetupOptions& options, system::Terminal& terminal) {
  setup::Given given{.target = options.host,
                     .user = options.user,
                     .client_id = options.client_id,
                     .from = options.from,
                     .root_mail = options.root_mail,
                     .test_to = options.test_to,
                     .yes = options.yes};
  if (options.password_file.empty()) return given;
  auto password = get_password(terminal, options.password_file, "Password (not shown): ");
  if (!password) return std::unexpected(std::move(password.error()));
  given.password = std::move(*password);
  return given;
}

// Whether it succeeds. A check, and a log-in, becomes the daemon's user for good, so it is a program of its
// own.
bool run_ourselves(std::vector<std::string> arguments) {
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::execv("/proc/self/exe", pointers.data());
    ::_exit(static_cast<int>(Exit::os));
  }
  int status = 0;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool run_check(const std::string& config_file, const std::string& send_to) {
  std::vector<std::string> arguments{"hikyaku", "check", "-c", config_file};
  if (!send_to.empty()) arguments.insert(arguments.end(), {"--send-to", send_to});
  return run_ourselves(std::move(arguments));
}

Result<bool, StartError> reload_daemon(const std::string& config_file) {
  auto socket = find_control_socket({config_file, ""});
  if (!socket) return std::unexpected(socket.error());
  auto reply = ask_control(socket->path, "/v1/reload", "");
  if (reply) return true;
  if (reply.error().kind == Exit::unavailable) return false;
  return std::unexpected(reply.error());
}

// What the configuration says by now.
bool send_by_daemon(const std::string& config_file, const std::string& address) {
  auto settings = config::load_file(config_file);
  return settings && send_test_mail(*settings, address);
}

std::string root_alias(const config::Settings& settings) {
  const auto aliases = config::load_aliases(settings.aliases);
  return join(aliases.aliases.expand("root", settings.domain), ", ");
}

std::optional<Secret> find_password(const setup::AuthinfoStore& store, const setup::Answers& answers) {
  auto entries = store.list();
  if (!entries) return std::nullopt;
  auto found = config::find_credentials(*entries, {answers.target.host, answers.target.port, answers.user});
  return found ? std::optional(found->password) : std::nullopt;
}

setup::Deeds deeds_for(const SetupOptions& options, const setup::Existing& existing,
                       const setup::AuthinfoStore& store) {
  const std::string& file = options.config;
  setup::Deeds deeds;
  deeds.root_alias = root_alias(existing.settings);
  deeds.find_password = [&store](const setup::Answers& answers) { return find_password(store, answers); };
  deeds.install = [&](const std::string& text, const setup::Answers& answers) {
    return setup::install(existing, text, store, answers);
  };
  deeds.reload = [&file] { return reload_daemon(file); };
  deeds.consent = [&file] { return run_ourselves({"hikyaku", "oauth", "login", "-c", file}); };
  deeds.check = [&file](const std::string& send_to) { return run_check(file, send_to); };
  deeds.send_test = [&file](const std::string& address) { return send_by_daemon(file, address); };
  return deeds;
}

Exit run_setup(const SetupOptions& options) {
  system::Terminal terminal(STDIN_FILENO, STDOUT_FILENO);
  TerminalTalk talk(terminal);
  auto existing = setup::find_existing(options.config);
  if (!existing) return report(kSetup, existing.error());
  const config::Settings& settings = existing->settings;
  const setup::AuthinfoStore store(settings.authinfo.path, setup::daemon_account(settings.user));
  if (auto readable = store.list(); !readable) return report(kSetup, readable.error());
  auto given = given_by(options, terminal);
  if (!given) return report(kSetup, given.error());
  const setup::Deeds deeds = deeds_for(options, *existing, store);
  auto done = setup::set_up(
      talk, *given, *existing, [&](const std::string& host) { return probe_for_setup(options.config, host); },
      deeds);
  return done ? Exit::ok : report(kSetup, done.error());
}

}  // namespace

void add_setup_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<SetupOptions>();
  CLI::App* command = app.add_subcommand("setup", "ask a few questions, and make this machine send mail");
  command->add_option("-c", options->config, "the configuration file to write")
      ->type_name("FILE")
      ->capture_default_str();
  command->add_option("--host", options->host, "a mail address, the smarthost's name or URL, or a provider")
      ->type_name("WHERE");
  command->add_option("--user", options->user, "the user name there; -: no log-in")->type_name("USER");
  command
      ->add_option("--password-file", options->password_file,
                   "read the password from FILE; -: standard input")
      ->type_name("FILE");
  command
      ->add_option("--client-id", options->client_id,
                   "of your application at the provider: OAuth2 instead of a password; -: a password")
      ->type_name("ID");
  command->add_option("--from", options->from, "the address that all mail leaves with; -: each program's own")
      ->type_name("ADDRESS");
  command->add_option("--root-mail", options->root_mail, "where mail to root goes; -: nowhere")
      ->type_name("ADDRESS");
  command->add_option("--test-to", options->test_to, "send a test mail there at the end; -: none")
      ->type_name("ADDRESS");
  command->add_flag("--yes", options->yes, "ask nothing: what is not given is as setup would propose");
  command->footer(
      "Answers may also come over a pipe, a line each. Exit code: 0 mail can be sent, 1 not yet or nothing "
      "was "
      "written,\n64 an answer is missing, 69 the provider cannot be used, 73 and 77 the files cannot be "
      "written.");
  command->callback([options, &chosen] { chosen = [options] { return run_setup(*options); }; });
}

}  // namespace hikyaku::commands
