// SPDX-License-Identifier: MIT
// `hikyaku check`: tries the smarthosts of the configuration, one after the other.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "daemon/base/text.h"
#include "daemon/checkup/checkup.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/oauth_tokens.h"
#include "daemon/commands/output.h"
#include "daemon/commands/trials.h"
#include "daemon/config/warnings.h"
#include "daemon/io/resolver.h"
#include "daemon/io/tls.h"
#include "daemon/mail/address.h"

namespace hikyaku::commands {
namespace {

constexpr std::string_view kCheck = "hikyaku check";

using Smarthosts = std::vector<mail::Smarthost>;

// Only root can see with the eyes of another user.
bool may_take_eyes(const system::FindAccount& find) { return ::geteuid() == 0 || !find("hikyaku"); }

Result<system::Loaded, StartError> load(const CheckOptions& options, const system::LoadCalls& calls) {
  const bool may = may_take_eyes(calls.find);
  auto loaded = system::load_as_daemon(options.config, calls);
  if (!loaded && !may) report_note(kCheck, "run it as root, so that it judges as the daemon's user");
  if (!loaded) return fail(Exit::configuration, config::to_text(loaded.error(), "\n"));
  auto wrong = config::check_configuration(loaded->settings, system::reader_for(loaded->account));
  if (wrong.empty()) wrong = config::check_door_pairs(loaded->settings.listen, io::TlsServer::trouble_with);
  if (!wrong.empty()) return fail(Exit::configuration, config::to_text(wrong, "\n"));
  return std::move(*loaded);
}

// Leaves only the one that is meant, so that nothing is said of the others.
Result<void, StartError> keep_only(const std::string& name, Smarthosts& smarthosts) {
  if (name.empty()) return {};
  std::vector<std::string> names;
  for (const mail::Smarthost& each : smarthosts) names.push_back(each.name);
  std::erase_if(smarthosts,
                [&](const mail::Smarthost& each) { return !equals_ignoring_case(each.name, name); });
  if (!smarthosts.empty()) return {};
  return fail(Exit::usage, cat("there is no smarthost '", printable(name), "' in the configuration, but ",
                               join(names, ", ")));
}

bool is_user(const std::string& name) { return system::is_user(name).value_or(false); }

// As the daemon would send a mail to this address on.
Result<std::string, StartError> recipient_for(const CheckOptions& options, const system::Loaded& loaded) {
  const mail::Aliases& aliases = loaded.aliases.aliases;
  if (options.send_to.empty()) return checkup::usual_recipient(loaded.settings, aliases);
  auto path = mail::parse_path(options.send_to, {.default_domain = loaded.settings.domain, .smtputf8 = true});
  if (!path) return fail(Exit::usage, cat("'", printable(options.send_to), "' is no mail address"));
  const mail::Recipient to{.address = std::move(path->address),
                           .notify = {},
                           .orcpt = {},
                           .is_bare = options.send_to.find('@') == std::string::npos};
  return checkup::where_mail_goes(loaded.settings, aliases, to, is_user);
}

std::vector<std::string> warnings_of(const system::Loaded& loaded) {
  config::SetupFacts facts{.has_root_alias = loaded.aliases.aliases.find("root") != nullptr,
                           .signing_keys = loaded.signing_keys->warnings(),
                           .door_keys = config::warnings_of_door_keys(loaded.settings.listen)};
  for (const mail::Smarthost& smarthost : loaded.settings.smarthosts)
    if (config::depends_on_addresses(smarthost, loaded.credentials))
      facts.undecided.push_back(smarthost.name);
  return config::warnings(loaded.settings, facts);
}

// One check's output: lines as the steps end, or all of it as one object.
class CheckOutput {
 public:
  explicit CheckOutput(bool json) : json_(json) {}

  void begin(const mail::Smarthost& smarthost) { print(cat(mail::describe(smarthost), "\n")); }
  void tell(const checkup::Step& step) { print(checkup::to_text(step)); }
  void end(const checkup::Report& report) {
    print(checkup::verdict_text(report));
    reports_.add(checkup::to_json_object(report));
    usable_ = usable_ && !report.failure;
  }
  Exit finish(const std::vector<std::string>& warnings) {
    for (const std::string& warning : warnings) print(cat("warning: ", warning, "\n"));
    Output output(STDOUT_FILENO);
    if (json_)
      output.print(JsonObject()
                       .add("usable", usable_)
                       .add("smarthosts", reports_)
                       .add("warnings", JsonList(warnings))
                       .text() +
                   "\n");
    return output.finish(usable_ ? Exit::ok : Exit::attention, kCheck);
  }

 private:
  // At once: somebody may be waiting for the next line.
  void print(const std::string& text) const {
    if (json_) return;
    Output output(STDOUT_FILENO);
    output.print_lines(text);
    static_cast<void>(output.finish(Exit::ok, kCheck));
  }

  bool json_;
  bool usable_ = true;
  JsonList reports_;
};

Task<void> check_each(io::Loop& loop, const system::Loaded& loaded, checkup::Checkup checkup,
                      CheckOutput& output) {
  for (const mail::Smarthost& smarthost : loaded.settings.smarthosts) {
    output.begin(smarthost);
    auto report = co_await checkup::check_smarthost(loop, checkup, smarthost,
                                                    [&](const checkup::Step& step) { output.tell(step); });
    output.end(report);
  }
}

Exit run_checks(const system::Loaded& loaded, const checkup::Checkup& checkup, bool json) {
  CheckOutput output(json);
  SystemClock clock;
  io::Loop loop(clock);
  loop.run(check_each(loop, loaded, checkup, output));
  return io::SystemResolver::leave(output.finish(warnings_of(loaded)));
}

}  // namespace

Exit run_check(const CheckOptions& options, const system::LoadCalls& calls) {
  auto loaded = load(options, calls);
  if (!loaded) return report(kCheck, loaded.error());
  if (auto kept = keep_only(options.name, loaded->settings.smarthosts); !kept)
    return report(kCheck, kept.error());
  auto recipient = recipient_for(options, *loaded);
  if (!recipient) return report(kCheck, recipient.error());
  CommandTokens tokens(loaded->settings);
  return run_checks(*loaded,
                    {.settings = loaded->settings,
                     .credentials = loaded->credentials,
                     .recipient = std::move(*recipient),
                     .sends = !options.send_to.empty(),
                     .keys = loaded->signing_keys.get(),
                     .tokens = &tokens},
                    options.json);
}

Exit run_login_check(const system::Loaded& loaded, const std::string& name) {
  system::Loaded only = loaded;
  if (auto kept = keep_only(name, only.settings.smarthosts); !kept) return report(kCheck, kept.error());
  CommandTokens tokens(only.settings);
  return run_checks(only,
                    {.settings = only.settings,
                     .credentials = only.credentials,
                     .recipient = checkup::usual_recipient(only.settings, only.aliases.aliases),
                     .tokens = &tokens},
                    false);
}

void add_check_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* command = app.add_subcommand("check", "try the smarthosts: connection, TLS, log-in, sender");
  command->add_option("NAME", options->name, "the smarthost to try; without it all");
  command->add_option("-c", options->config, "the daemon's configuration file")
      ->type_name("FILE")
      ->capture_default_str();
  command->add_option("--send-to", options->send_to, "send a test mail there, through each of them")
      ->type_name("ADDRESS");
  command->add_flag("--json", options->json, "print one JSON object");
  command->footer(
      "Sends no mail without --send-to; the test mail goes over the same connection, not through the queue.\n"
      "The daemon need not run. Run by root, it judges as the daemon's user.\n"
      "Exit code: 0 mail can be sent through each, 1 it cannot, 78 the configuration is wrong.");
  command->callback([options, &chosen] { chosen = [options] { return run_check(*options); }; });
}

}  // namespace hikyaku::commands
