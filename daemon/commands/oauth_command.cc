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

struct OAuthOptions {
  std::string config = config::kDefaultConfig;
  std::string name;
  std::string file;
  std::string account;
  std::string password_file;
  std::uint16_t port = 0;
  bool device = false;
  bool browser = false;
  bool paste = false;
  bool json = false;
};

// One smarthost, and what is to be done with its tokens.
Exit with_one(
    const OAuthOptions& options,
    const std::function<Result<std::string, StartError>(CommandTokens&, const mail::Smarthost&)>& deed) {
  auto loaded = load_for_oauth(options.config);
  if (!loaded) return report(kOAuth, loaded.error());
  auto smarthosts = with_oauth(loaded->settings, options.name);
  if (!smarthosts) return report(kOAuth, smarthosts.error());
  if (smarthosts->size() > 1)
    return report(kOAuth, {Exit::usage, "several smarthosts have `oauth`: name one"});
  CommandTokens tokens(loaded->settings);
  auto done = deed(tokens, smarthosts->front());
  return done ? print_all(kOAuth, *done + "\n", Reader::people) : report(kOAuth, done.error());
}

Exit login(const OAuthOptions& options) {
  if (options.device + options.browser + options.paste > 1)
    return report(kOAuth, {Exit::usage, "give one of --device, --browser and --paste"});
  return run_oauth_login({.config = options.config,
                          .name = options.name,
                          .way = options.device    ? ConsentWay::device
                                 : options.browser ? ConsentWay::browser
                                 : options.paste   ? ConsentWay::paste
                                                   : ConsentWay::usual,
                          .port = options.port});
}

std::string state_of(const JsonValue& each) {
  const std::string refused = each.text_of("refused");
  const JsonValue* consented = each.find("consented");
  const bool has_consent = consented != nullptr && consented->boolean().value_or(false);
  if (!refused.empty()) return cat("refused since ", each.text_of("refused_since"), ": ", printable(refused));
  if (!has_consent) return cat("no consent yet: run `hikyaku oauth login ", each.text_of("smarthost"), "`");
  const std::string expires = each.text_of("expires");
  return expires.empty() ? "no token yet" : cat("good until ", expires);
}

std::string line_for(const JsonValue& each) {
  const std::string account = each.text_of("account");
  const std::string scope = each.text_of("scope");
  const std::string refreshed = each.text_of("refreshed");
  std::string text = cat(printable(each.text_of("smarthost")), ": ", state_of(each), "\n");
  if (!account.empty()) text += cat("  consented by ", printable(account, 320), "\n");
  if (!scope.empty()) text += cat("  scope ", printable(scope), "\n");
  if (!refreshed.empty()) text += cat("  last token ", refreshed, "\n");
  return text;
}

// As the daemon has it.
std::string json_line(const JsonValue& each) {
  JsonObject object;
  const JsonValue* consented = each.find("consented");
  object.add("smarthost", each.text_of("smarthost"))
      .add("consented", consented != nullptr && consented->boolean().value_or(false));
  for (std::string_view name : {"flow", "consented_at", "account", "scope", "expires", "refreshed", "refused",
                                "refused_since", "next_try"})
    object.add(name, unless_empty(each.text_of(name)));
  return cat(object.text(), "\n");
}

// Without a daemon the file alone tells.
JsonObject from_file(const CommandTokens& tokens, const mail::Smarthost& smarthost) {
  auto token = tokens.stored(smarthost.name);
  JsonObject object;
  object.add("smarthost", smarthost.name);
  if (!token) return object.add("consented", false).add("refused", token.error().text);
  const bool is_login = smarthost.oauth->flow == mail::OAuthFlow::login;
  const oauth::StoredToken known = token->value_or(oauth::StoredToken{});
  auto if_set = [](WallTime time) { return time == WallTime{} ? std::nullopt : std::optional(time); };
  return object.add("flow", is_login ? "login" : "application")
      .add("consented", !is_login || !known.refresh_token.empty())
      .add("consented_at", if_set(known.consented))
      .add("account", unless_empty(known.account))
      .add("scope", unless_empty(known.scope))
      .add("expires", if_set(known.expires))
      .add("refreshed", if_set(known.obtained))
      .add("refused", unless_empty(known.refused))
      .add("refused_since", if_set(known.refused_since));
}

Result<JsonValue, StartError> all_states(const config::Settings& settings, const std::string& socket) {
  auto reply = ask_control(socket, "/v1/oauth");
  if (reply) return std::move(reply->json);
  if (reply.error().kind != Exit::unavailable) return std::unexpected(reply.error());
  auto smarthosts = with_oauth(settings, "");
  if (!smarthosts) return std::unexpected(smarthosts.error());
  const CommandTokens tokens(settings);
  JsonList list;
  for (const mail::Smarthost& each : *smarthosts) list.add(from_file(tokens, each));
  return *parse_json(JsonObject().add("smarthosts", list).text());
}

Exit status(const OAuthOptions& options) {
  auto loaded = load_for_oauth(options.config);
  if (!loaded) return report(kOAuth, loaded.error());
  auto known = with_oauth(loaded->settings, options.name);
  if (!known) return report(kOAuth, known.error());
  auto states = all_states(loaded->settings, system::control_socket_in(loaded->settings.runtime_directory));
  if (!states) return report_control(kOAuth, states.error());
  std::string text;
  Exit exit = Exit::ok;
  for (const JsonValue& each : states->list_of("smarthosts")) {
    if (!options.name.empty() && !equals_ignoring_case(each.text_of("smarthost"), options.name)) continue;
    if (!state_of(each).starts_with("good")) exit = Exit::attention;
    text += options.json ? json_line(each) : line_for(each);
  }
  return print_all(kOAuth, text, options.json ? Reader::programs : Reader::people, exit);
}

Exit refresh(const OAuthOptions& options) {
  return with_one(
      options,
      [](CommandTokens& tokens, const mail::Smarthost& smarthost) -> Result<std::string, StartError> {
        auto done = tokens.refresh(smarthost.name);
        if (!done) return std::unexpected(done.error());
        auto token = tokens.stored(smarthost.name);
        if (!token) return std::unexpected(token.error());
        return cat(smarthost.name, ": a new token, good until ",
                   to_rfc3339(token->value_or(oauth::StoredToken{}).expires));
      });
}

Exit revoke(const OAuthOptions& options) {
  return with_one(
      options,
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

// Read before the process becomes the daemon's user, who need not be able to.
Exit import_file(const OAuthOptions& options) {
  constexpr config::SecretWords kWords{"the file of tokens", "the tokens in it", "tokens of theirs"};
  auto text = config::read_secret_file(options.file, config::AuthinfoReader::this_process(), kWords);
  if (!text) return report(kOAuth, {Exit::no_input, cat(options.file, ": ", text.error().text)});
  return with_one(
      options,
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

CLI::App* add(CLI::App& oauth, const char* name, const char* what, Exit (*run)(const OAuthOptions&),
              const std::shared_ptr<OAuthOptions>& options, Action& chosen) {
  CLI::App* command = oauth.add_subcommand(name, what);
  command->add_option("NAME", options->name, "the smarthost; without it the only one with `oauth`");
  command->callback([options, run, &chosen] { chosen = [options, run] { return run(*options); }; });
  command->fallthrough();
  return command;
}

}  // namespace

void add_oauth_command(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<OAuthOptions>();
  CLI::App* oauth = app.add_subcommand("oauth", "log in to smarthosts with OAuth2 instead of a password");
  oauth->require_subcommand(1);
  oauth->add_option("-c", options->config, "the daemon's configuration file")
      ->type_name("FILE")
      ->capture_default_str();
  CLI::App* in =
      add(*oauth, "login", "consent that mail is sent as the smarthost's user", login, options, chosen);
  in->add_flag("--device", options->device,
               "by a code, typed at any device (default where the provider has it)");
  in->add_flag("--browser", options->browser, "by a browser on this machine");
  in->add_flag("--paste", options->paste, "by a browser elsewhere, whose last URL is pasted here");
  in->add_option("--port", options->port, "where the browser comes back to; default: any free port")
      ->type_name("PORT");
  in->footer("Run it as root. Ends with a real log-in at the smarthost, and sends no mail.");
  add(*oauth, "status", "show how the tokens stand", status, options, chosen)
      ->add_flag("--json", options->json, "print one JSON object a line");
  add(*oauth, "refresh", "ask the provider for a new token now", refresh, options, chosen);
  CLI::App* import = add(*oauth, "import", "take over the tokens of sasl-xoauth2 or email-oauth2-proxy",
                         import_file, options, chosen);
  import->add_option("FILE", options->file, "its file of tokens, or its configuration")->required();
  import->add_option("--account", options->account, "the section in it; default: the smarthost's user")
      ->type_name("ADDRESS");
  import
      ->add_option("--password-file", options->password_file,
                   "read email-oauth2-proxy's password from FILE; -: standard input")
      ->type_name("FILE");
  import->footer("The smarthost must have the same `client_id`: tokens belong to it.");
  add(*oauth, "revoke", "give the consent back, and forget the tokens", revoke, options, chosen);
}

}  // namespace hikyaku::commands
