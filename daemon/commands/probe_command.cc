// SPDX-License-Identifier: MIT
// `hikyaku probe`: looks at a smarthost, or for that of an address, before anything is configured.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "daemon/base/text.h"
#include "daemon/checkup/probe.h"
#include "daemon/checkup/probe_report.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/output.h"
#include "daemon/commands/password.h"
#include "daemon/commands/progress.h"
#include "daemon/config/load.h"
#include "daemon/io/resolver.h"

namespace hikyaku::commands {
namespace {

constexpr std::string_view kProbe = "hikyaku probe";

struct ProbeOptions {
  std::string config = config::kDefaultConfig;
  std::string target;
  std::string user;
  std::string password_file;
  bool json = false;
};

// The password is asked for before anything is dialled, so that nobody waits for a question.
Result<std::optional<mail::Credentials>, StartError> credentials_of(const ProbeOptions& options) {
  if (options.user.empty() && !options.password_file.empty())
    return fail(Exit::usage, "--password-file needs --user");
  if (options.user.empty()) return std::nullopt;
  system::Terminal terminal(STDIN_FILENO, STDERR_FILENO);
  auto password = get_password(terminal, options.password_file,
                               cat("Password of ", printable(options.user), " (not shown): "));
  if (!password) return std::unexpected(password.error());
  mail::Credentials credentials;
  credentials.user = options.user;
  credentials.password = std::move(*password);
  return credentials;
}

Exit run_probe(const ProbeOptions& options) {
  auto target = checkup::parse_probe_target(options.target);
  if (!target) return report(kProbe, {Exit::usage, target.error()});
  auto credentials = credentials_of(options);
  if (!credentials) return report(kProbe, credentials.error());
  Output output(STDOUT_FILENO);
  SystemClock clock;
  io::Loop loop(clock);
  const auto result = [&] {
    Progress progress(cat("asking the servers of ", printable(options.target, 100)));
    return loop.run(checkup::probe_from_here(loop, checkup::standpoint_of(options.config), std::move(*target),
                                             std::move(*credentials)));
  }();
  output.print(options.json ? checkup::to_json_object(result).text() + "\n"
                            : checkup::to_text(result, clock.wall()));
  return io::SystemResolver::leave(output.finish(result.is_good() ? Exit::ok : Exit::attention, kProbe));
}

}  // namespace

void add_probe_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<ProbeOptions>();
  CLI::App* command = app.add_subcommand(
      "probe", "find out how a smarthost wants to be spoken to, and print what to configure");
  command->add_option("TARGET", options->target, "a HOST, HOST:PORT, mail domain, or mail address")
      ->required();
  command->add_option("-c", options->config, "a configuration file, for `dns` and `hostname` alone")
      ->type_name("FILE")
      ->capture_default_str();
  command->add_option("--user", options->user,
                      "try one log-in as this user, over TLS at what is recommended; asks for the password");
  command
      ->add_option("--password-file", options->password_file,
                   "read the password from FILE; -: standard input")
      ->type_name("FILE");
  command->add_flag("--json", options->json, "print one JSON object");
  command->footer(
      "Sends no mail. Exit code: 0 something can be used, and the log-in, where there was one, has "
      "succeeded; 1 "
      "not.");
  command->callback([options, &chosen] { chosen = [options] { return run_probe(*options); }; });
}

}  // namespace hikyaku::commands
