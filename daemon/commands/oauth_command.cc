// SPDX-License-Identifier: MIT
// `hikyaku oauth`: consent, tokens and how they stand. No token is ever printed.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/control_client.h"
#include "daemon/commands/oauth_tokens.h"
#include "daemon/commands/output.h"
#include "daemon/commands/password.h"
#include "daemon/commands/trials.h"
#include "daemon/config/secret_file.h"
#include "daemon/oauth/token_import.h"
#include "daemon/system/directories.h"

namespace hikyaku::commands {
namespace {

constexpr std::string_view kOAuth = "hikyaku oauth";

// As it stands on the command line.
struct OAuthArguments {
  OAuthOptions options;
  std::uint16_t port = 0;
  bool device = false;
  bool browser = false;
  bool paste = false;
};

// One smarthost, and what is to be done with its tokens.
Exit with_one(
    const OAuthOptions& options, const system::LoadCalls& calls,
    const std::function<Result<std::string, StartError>(CommandTokens&, const mail::Smarthost&)>& deed) {
  auto loaded = load_for_oauth(options.config, calls);
  if (!loaded) return report(kOAuth, loaded.error());
  auto smarthosts = with_oauth(loaded->settings, options.name);
  if (!smarthosts) return report(kOAuth, smarthosts.error());
  if (smarthosts->size() > 1)
    return report(kOAuth, {Exit::usage, "several smarthosts have `oauth`: name one"});
  CommandTokens tokens(loaded->settings);
  auto done = deed(tokens, smarthosts->front());
  return done ? print_all(kOAuth, *done + "\n", Reader::people) : report(kOAuth, done.error());
}

Exit login(const OAuthArguments& arguments) {
  if (arguments.device + arguments.browser + arguments.paste > 1)
    return report(kOAuth, {Exit::usage, "give one of --device, --browser and --paste"});
  return run_oauth_login({.config = arguments.options.config,
                          .name = arguments.options.name,
                          .way = arguments.device    ? ConsentWay::device
                                 : arguments.browser ? ConsentWay::browser
                                 : arguments.paste   ? ConsentWay::paste
                                                     : ConsentWay::usual,
                          .port = arguments.port});
}

// A smarthost's name, and how its tokens stand.
struct State {
  std::string smarthost;
  mail::OAuthReport report;
};

std::string words_for(const State& state) {
  const mail::OAuthReport& report = state.report;
  const std::string since = report.since ? cat(" since ", to_rfc3339(*report.since)) : "";
  if (!report.refused.empty()) return cat("refused", since, ": ", printable(report.refused));
  if (!report.has_consent) return cat("no consent yet: run `hikyaku oauth login ", state.smarthost, "`");
  return report.expires ? cat("good until ", to_rfc3339(*report.expires)) : "no token yet";
}

bool is_good(const State& state) {
  return state.report.refused.empty() && state.report.has_consent && state.report.expires;
}

std::string lines_for(const State& state) {
  const mail::OAuthReport& report = state.report;
  std::string text = cat(printable(state.smarthost), ": ", words_for(state), "\n");
  if (!report.account.empty()) text += cat("  consented by ", printable(report.account, 320), "\n");
  if (!report.scope.empty()) text += cat("  scope ", printable(report.scope), "\n");
  if (report.refreshed) text += cat("  last token ", to_rfc3339(*report.refreshed), "\n");
  return text;
}

std::string json_line(const State& state) {
  return cat(JsonObject().add("smarthost", state.smarthost).append(to_object(state.report)).text(), "\n");
}

// Without a daemon the file alone tells.
State state_in_file(const CommandTokens& tokens, const mail::Smarthost& smarthost) {
  const bool is_login = smarthost.oauth->flow == mail::OAuthFlow::login;
  auto token = tokens.stored(smarthost.name);
  if (token) return {smarthost.name, report_on(token->value_or(oauth::StoredToken{}), is_login)};
  mail::OAuthReport unreadable{.is_login = is_login, .has_consent = !is_login, .needs_operator = true};
  unreadable.refused = token.error().text;
  return {smarthost.name, std::move(unreadable)};
}

Result<std::vector<State>, StartError> all_states(const config::Settings& settings) {
  std::vector<State> states;
  auto reply = ask_control(system::control_socket_in(settings.runtime_directory), "/v1/oauth");
  if (reply) {
    for (const JsonValue& each : reply->json.list_of("smarthosts"))
      states.push_back({each.text_of("smarthost"), mail::parse_oauth_report(each)});
    return states;
  }
  if (reply.error().kind != Exit::unavailable) return std::unexpected(reply.error());
  auto smarthosts = with_oauth(settings, "");
  if (!smarthosts) return std::unexpected(smarthosts.error());
  const CommandTokens tokens(settings);
  for (const mail::Smarthost& each : *smarthosts) states.push_back(state_in_file(tokens, each));
  return states;
}

Result<oauth::StoredToken, StartError> token_in_file(const OAuthOptions& options, const Secret& text,
                                                     const mail::Smarthost& smarthost) {
  auto wrong = [&](const std::string& what) { return fail(Exit::damaged, cat(options.file, " ", what)); };
  Result<oauth::StoredToken, std::string> token =
      std::unexpected("is no file of sasl-xoauth2 or email-oauth2-proxy");
  const auto kind = oauth::kind_of_token_file(text.reveal());
  if (kind == oauth::TokenFileKind::sasl_xoauth2) token = oauth::import_sasl_xoauth2(text.reveal());
  if (kind == oauth::TokenFileKind::email_oauth2_proxy) {
    system::Terminal terminal(STDIN_FILENO, STDOUT_FILENO);
    auto password = get_password(terminal, options.password_file,
                                 "Password that clients log in to email-oauth2-proxy with (not shown): ");
    if (!password) return std::unexpected(password.error());
    const std::string& account = options.account.empty() ? smarthost.user : options.account;
    token = oauth::import_email_oauth2_proxy(text.reveal(), account, *password);
  }
  if (!token) return wrong(token.error());
  token->consented = SystemClock().wall();
  return std::move(*token);
}

CLI::App* add(CLI::App& oauth, const char* name, const char* what,
              const std::shared_ptr<OAuthArguments>& arguments, Action& chosen,
              std::function<Exit(const OAuthArguments&)> run) {
  CLI::App* command = oauth.add_subcommand(name, what);
  command->add_option("NAME", arguments->options.name, "the smarthost; without it the only one with `oauth`");
  command->callback([arguments, run, &chosen] { chosen = [arguments, run] { return run(*arguments); }; });
  command->fallthrough();
  return command;
}

using Run = Exit (*)(const OAuthOptions&, const system::LoadCalls&);
std::function<Exit(const OAuthArguments&)> by(Run run) {
  return [run](const OAuthArguments& arguments) { return run(arguments.options, {}); };
}

}  // namespace

Exit run_oauth_status(const OAuthOptions& options, const system::LoadCalls& calls) {
  auto loaded = load_for_oauth(options.config, calls);
  if (!loaded) return report(kOAuth, loaded.error());
  auto known = with_oauth(loaded->settings, options.name);
  if (!known) return report(kOAuth, known.error());
  auto states = all_states(loaded->settings);
  if (!states) return report_control(kOAuth, states.error());
  std::string text;
  Exit exit = Exit::ok;
  for (const State& state : *states) {
    if (!options.name.empty() && !equals_ignoring_case(state.smarthost, options.name)) continue;
    if (!is_good(state)) exit = Exit::attention;
    text += options.json ? json_line(state) : lines_for(state);
  }
  return print_all(kOAuth, text, options.json ? Reader::programs : Reader::people, exit);
}

Exit run_oauth_refresh(const OAuthOptions& options, const system::LoadCalls& calls) {
  return with_one(
      options, calls,
      [](CommandTokens& tokens, const mail::Smarthost& smarthost) -> Result<std::string, StartError> {
        auto done = tokens.refresh(smarthost.name);
        if (!done) return std::unexpected(done.error());
        auto token = tokens.stored(smarthost.name);
        if (!token) return std::unexpected(token.error());
        return cat(smarthost.name, ": a new token, good until ",
                   to_rfc3339(token->value_or(oauth::StoredToken{}).expires));
      });
}

Exit run_oauth_revoke(const OAuthOptions& options, const system::LoadCalls& calls) {
  return with_one(
      options, calls,
      [](CommandTokens& tokens, const mail::Smarthost& smarthost) -> Result<std::string, StartError> {
        auto done = tokens.revoke(smarthost.name);
        if (!done) return std::unexpected(done.error());
        const bool is_told = !smarthost.oauth->revoke_url.empty();
        return cat(smarthost.name, ": the tokens are gone",
                   is_told ? ", here and at the provider"
                           : " here; the provider has no way to be told: take "
                             "back the consent in the account's settings there");
      });
}

// Read before the process becomes the daemon's user, who need not be able to.
Exit run_oauth_import(const OAuthOptions& options, const system::LoadCalls& calls) {
  constexpr config::SecretWords kWords{"the file of tokens", "the tokens in it", "tokens of theirs"};
  auto text = config::read_secret_file(options.file, config::AuthinfoReader::this_process(), kWords);
  if (!text) return report(kOAuth, {Exit::no_input, cat(options.file, ": ", text.error().text)});
  return with_one(
      options, calls,
      [&](CommandTokens& tokens, const mail::Smarthost& smarthost) -> Result<std::string, StartError> {
        auto token = token_in_file(options, *text, smarthost);
        if (!token) return std::unexpected(token.error());
        auto kept = tokens.keep(smarthost.name, std::move(*token));
        if (!kept) return std::unexpected(kept.error());
        auto tried = tokens.refresh(smarthost.name);
        if (!tried)
          return fail(Exit::attention,
                      cat("kept, but the provider gives no token for it: ", tried.error().text));
        return cat(smarthost.name, ": taken over from ", options.file,
                   "; the provider has given a new token");
      });
}

void add_oauth_command(CLI::App& app, Action& chosen) {
  auto arguments = std::make_shared<OAuthArguments>();
  OAuthOptions& options = arguments->options;
  CLI::App* oauth = app.add_subcommand("oauth", "log in to smarthosts with OAuth2 instead of a password");
  oauth->require_subcommand(1);
  oauth->add_option("-c", options.config, "the daemon's configuration file")
      ->type_name("FILE")
      ->capture_default_str();
  CLI::App* in =
      add(*oauth, "login", "consent that mail is sent as the smarthost's user", arguments, chosen, login);
  in->add_flag("--device", arguments->device,
               "by a code, typed at any device (default where the provider has it)");
  in->add_flag("--browser", arguments->browser, "by a browser on this machine");
  in->add_flag("--paste", arguments->paste, "by a browser elsewhere, whose last URL is pasted here");
  in->add_option("--port", arguments->port, "where the browser comes back to; default: any free port")
      ->type_name("PORT");
  in->footer("Run it as root. Ends with a real log-in at the smarthost, and sends no mail.");
  add(*oauth, "status", "show how the tokens stand", arguments, chosen, by(run_oauth_status))
      ->add_flag("--json", options.json, "print one JSON object a line");
  add(*oauth, "refresh", "ask the provider for a new token now", arguments, chosen, by(run_oauth_refresh));
  CLI::App* import = add(*oauth, "import", "take over the tokens of sasl-xoauth2 or email-oauth2-proxy",
                         arguments, chosen, by(run_oauth_import));
  import->add_option("FILE", options.file, "its file of tokens, or its configuration")->required();
  import->add_option("--account", options.account, "the section in it; default: the smarthost's user")
      ->type_name("ADDRESS");
  import
      ->add_option("--password-file", options.password_file,
                   "read email-oauth2-proxy's password from FILE; -: standard input")
      ->type_name("FILE");
  import->footer("The smarthost must have the same `client_id`: tokens belong to it.");
  add(*oauth, "revoke", "give the consent back, and forget the tokens", arguments, chosen,
      by(run_oauth_revoke));
}

}  // namespace hikyaku::commands
