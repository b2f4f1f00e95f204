// SPDX-License-Identifier: MIT
#include "daemon/commands/oauth_tokens.h"

#include <algorithm>

#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/commands/control_client.h"
#include "daemon/oauth/refresher.h"
#include "daemon/oauth/shared_token.h"
#include "daemon/system/directories.h"
#include "spool/postgresql/accounts.h"
#include "spool/postgresql/blocking_database.h"

namespace hikyaku::commands {
namespace {

constexpr Duration kFresh = 60s;

std::string target_of(const std::string& smarthost, std::string_view what) {
  return cat("/v1/oauth/", oauth::percent_encode(smarthost), what);
}

std::unexpected<StartError> cannot(const std::string& text) {
  return fail(Exit::no_permission, cat(text, "; run this as root, or as the daemon's user"));
}

// The place where only the daemon writes, while none runs.
struct OwnStore {
  std::unique_ptr<spool::DiskLock> lock;
  std::unique_ptr<oauth::TokenStore> store;
};

Result<OwnStore, StartError> open_own(const std::string& directory) {
  auto lock = oauth::lock_token_store(directory);
  if (!lock) return cannot(lock.error());
  auto store = oauth::open_token_store(directory);
  if (!store) return cannot(store.error());
  return OwnStore{std::move(*lock), std::move(*store)};
}

oauth::StoredToken merged(oauth::StoredToken token, oauth::Grant grant, const mail::Smarthost& smarthost) {
  token.client = oauth::client_mark(smarthost.oauth->client_id);
  token.user = smarthost.user;
  oauth::put_into(token, std::move(grant), smarthost.oauth->scope, SystemClock().wall());
  return token;
}

Secret body_of(const oauth::StoredToken& token) {
  const auto left = std::max<Duration>(token.expires - SystemClock().wall(), 0s);
  return Secret(JsonObject()
                    .add("refresh_token", token.refresh_token.reveal())
                    .add("access_token", token.access_token.reveal())
                    .add("expires_in", std::chrono::duration_cast<std::chrono::seconds>(left).count())
                    .add("scope", token.scope)
                    .add("account", token.account)
                    .text());
}

bool is_no_daemon(const StartError& error) { return error.kind == Exit::unavailable; }

// Nodes that share a spool have their tokens in its database, where one of them writes at a time.
std::unexpected<StartError> needs_daemon() {
  return fail(
      Exit::unavailable,
      "the daemon does not run: with `spool.url` the tokens are in the database, and a daemon writes them "
      "there; start one, and try again");
}

Result<std::optional<oauth::StoredToken>, StartError> stored_in(const std::string& directory,
                                                                const std::string& smarthost) {
  auto store = oauth::open_token_store(directory);
  if (!store) return cannot(store.error());
  auto token = (*store)->load(smarthost);
  if (!token) return cannot(cat(directory, ": ", token.error()));
  return std::move(*token);
}

// A token without a client: there is none.
Result<std::optional<oauth::StoredToken>, StartError> stored_in_database(const std::string& url,
                                                                         const std::string& smarthost) {
  auto database = postgresql::BlockingDatabase::make(url);
  if (!database) return fail(Exit::configuration, cat("spool.url: ", database.error().text));
  io::Loop& loop = (*database)->loop();
  postgresql::Lease nobody(loop, (*database)->database(), {}, [] {});
  postgresql::Accounts accounts(loop, (*database)->database(), nobody, Duration{0});
  oauth::SharedToken shared(loop, accounts, smarthost);
  auto found = (*database)->run(shared.look());
  if (!found) return fail(Exit::unavailable, cat("spool ", (*database)->shown(), ": ", found.error()));
  return std::move(*found);
}

}  // namespace

Result<system::Loaded, StartError> load_for_oauth(const std::string& config, const system::LoadCalls& calls) {
  system::LoadCalls ours = calls;
  ours.become = [&](const system::Account& account) -> Result<void, StartError> {
    const std::string directory = config::understandable_settings(config).oauth_directory;
    if (auto made = system::prepare_oauth_directory(directory, account); !made) return made;
    return calls.become(account);
  };
  auto loaded = system::load_as_daemon(config, ours);
  if (!loaded) return fail(Exit::configuration, config::to_text(loaded.error(), "\n"));
  return std::move(*loaded);
}

Result<std::vector<mail::Smarthost>, StartError> with_oauth(const config::Settings& settings,
                                                            const std::string& name) {
  std::vector<mail::Smarthost> found;
  std::vector<std::string> names;
  for (const mail::Smarthost& each : settings.smarthosts) {
    if (!each.oauth) continue;
    names.push_back(each.name);
    if (name.empty() || equals_ignoring_case(each.name, name)) found.push_back(each);
  }
  if (!found.empty()) return found;
  if (names.empty()) return fail(Exit::usage, "no smarthost of the configuration has `oauth`");
  return fail(Exit::usage,
              cat("no smarthost with `oauth` is called '", printable(name), "', but ", join(names, ", ")));
}

CommandTokens::CommandTokens(const config::Settings& settings)
    : settings_(settings), socket_(system::control_socket_in(settings.runtime_directory)) {}

const mail::Smarthost& CommandTokens::find(const std::string& smarthost) const {
  const auto found = std::ranges::find(settings_.smarthosts, smarthost, &mail::Smarthost::name);
  check(found != settings_.smarthosts.end() && found->oauth, "a smarthost without `oauth`");
  return *found;
}

Result<std::optional<oauth::StoredToken>, StartError> CommandTokens::stored(
    const std::string& smarthost) const {
  auto token = is_shared() ? stored_in_database(settings_.spool.url, smarthost)
                           : stored_in(settings_.oauth_directory, smarthost);
  if (!token) return token;
  const mail::Smarthost& here = find(smarthost);
  const bool is_ours =
      *token && (*token)->client == oauth::client_mark(here.oauth->client_id) && (*token)->user == here.user;
  return is_ours ? std::move(*token) : std::nullopt;
}

Result<void, StartError> CommandTokens::refresh(const std::string& smarthost) {
  auto done = ask_control(socket_, target_of(smarthost, "/refresh"), "");
  if (done) return {};
  if (!is_no_daemon(done.error())) return std::unexpected(done.error());
  if (is_shared()) return needs_daemon();
  return refresh_here(find(smarthost));
}

Result<void, StartError> CommandTokens::refresh_here(const mail::Smarthost& smarthost) {
  auto own = open_own(settings_.oauth_directory);
  if (!own) return std::unexpected(own.error());
  auto before = stored(smarthost.name);
  if (!before) return std::unexpected(before.error());
  const oauth::StoredToken old = before->value_or(oauth::StoredToken{});
  if (smarthost.oauth->flow == mail::OAuthFlow::login && old.refresh_token.empty())
    return fail(Exit::attention,
                cat("nobody has consented yet: run `hikyaku oauth login ", smarthost.name, "`"));
  oauth::HttpsEndpoint endpoint;
  auto grant = oauth::obtain({.settings = *smarthost.oauth,
                              .user = smarthost.user,
                              .refresh_token = old.refresh_token,
                              .now = SystemClock().wall()},
                             endpoint);
  if (!grant) return fail(Exit::attention, grant.error().text);
  auto kept = own->store->save(smarthost.name, merged(old, std::move(*grant), smarthost));
  return kept ? Result<void, StartError>{} : fail(Exit::io, kept.error());
}

Result<void, StartError> CommandTokens::keep(const std::string& smarthost, oauth::StoredToken token) {
  auto done = put_control(socket_, target_of(smarthost, ""), body_of(token));
  if (done) return {};
  if (!is_no_daemon(done.error())) return std::unexpected(done.error());
  if (is_shared()) return needs_daemon();
  return keep_here(find(smarthost), std::move(token));
}

Result<void, StartError> CommandTokens::keep_here(const mail::Smarthost& smarthost,
                                                  oauth::StoredToken token) {
  auto own = open_own(settings_.oauth_directory);
  if (!own) return std::unexpected(own.error());
  token.client = oauth::client_mark(smarthost.oauth->client_id);
  token.user = smarthost.user;
  auto kept = own->store->save(smarthost.name, token);
  return kept ? Result<void, StartError>{} : fail(Exit::io, kept.error());
}

Result<void, StartError> CommandTokens::revoke(const std::string& smarthost) {
  auto done = ask_control(socket_, target_of(smarthost, "/revoke"), "");
  if (done) return {};
  if (!is_no_daemon(done.error())) return std::unexpected(done.error());
  if (is_shared()) return needs_daemon();
  return revoke_here(find(smarthost));
}

Result<void, StartError> CommandTokens::revoke_here(const mail::Smarthost& smarthost) {
  auto own = open_own(settings_.oauth_directory);
  if (!own) return std::unexpected(own.error());
  auto token = stored(smarthost.name);
  if (!token) return std::unexpected(token.error());
  const bool can_tell = *token && !smarthost.oauth->revoke_url.empty();
  oauth::HttpsEndpoint endpoint;
  Result<void, oauth::TokenError> told;
  if (can_tell)
    told = oauth::revoke(*smarthost.oauth,
                         (*token)->refresh_token.empty() ? (*token)->access_token : (*token)->refresh_token,
                         endpoint, SystemClock().wall());
  if (!told) return fail(Exit::attention, told.error().text);
  auto gone = own->store->remove(smarthost.name);
  return gone ? Result<void, StartError>{} : fail(Exit::io, gone.error());
}

Task<Result<Secret, smtpc::TokenRefusal>> CommandTokens::token(std::string smarthost, io::Until) {
  auto present = stored(smarthost);
  if (!present) co_return std::unexpected(refusal(smarthost, present.error()));
  if (*present && !(*present)->access_token.empty() && SystemClock().wall() < (*present)->expires)
    co_return (*present)->access_token;
  auto refreshed = refresh(smarthost);
  if (!refreshed) co_return std::unexpected(refusal(smarthost, refreshed.error()));
  auto fresh = stored(smarthost);
  if (!fresh) co_return std::unexpected(refusal(smarthost, fresh.error()));
  co_return fresh->value_or(oauth::StoredToken{}).access_token;
}

Task<Result<std::optional<Secret>, smtpc::TokenRefusal>> CommandTokens::newer_than(std::string smarthost,
                                                                                   Secret refused,
                                                                                   io::Until) {
  auto present = stored(smarthost);
  if (!present) co_return std::unexpected(refusal(smarthost, present.error()));
  const oauth::StoredToken known = present->value_or(oauth::StoredToken{});
  if (known.access_token != refused) co_return std::optional(known.access_token);
  if (SystemClock().wall() - known.obtained < kFresh) co_return std::nullopt;
  auto refreshed = refresh(smarthost);
  if (!refreshed) co_return std::unexpected(refusal(smarthost, refreshed.error()));
  auto fresh = stored(smarthost);
  if (!fresh) co_return std::unexpected(refusal(smarthost, fresh.error()));
  co_return std::optional(fresh->value_or(oauth::StoredToken{}).access_token);
}

mail::OAuthFacts CommandTokens::facts(const std::string& smarthost) const {
  const mail::OAuthSettings& oauth = *find(smarthost).oauth;
  mail::OAuthFacts facts{.provider = oauth.provider, .flow = oauth.flow};
  facts.file = oauth.client_secret_file.empty() ? oauth.client_cert : oauth.client_secret_file;
  const auto token = stored(smarthost);
  if (!token || !*token) return facts;
  facts.granted_scope = (*token)->scope;
  if ((*token)->consented != WallTime{})
    facts.age_seconds =
        std::chrono::duration_cast<std::chrono::seconds>(SystemClock().wall() - (*token)->consented).count();
  return facts;
}

std::optional<mail::OAuthReport> CommandTokens::report(const std::string&) const { return std::nullopt; }

// What the daemon has said about it begins as the provider's error did.
smtpc::TokenRefusal CommandTokens::refusal(const std::string& smarthost, const StartError& error) const {
  auto known = std::make_shared<const mail::OAuthFacts>(facts(smarthost));
  const bool is_first = error.text.starts_with("nobody has consented yet");
  if (is_first) return {mail::FailureKind::oauth_consent_needed, "", std::move(known)};
  if (error.kind == Exit::no_permission)
    return {mail::FailureKind::oauth_setup, error.text, std::move(known)};
  return {oauth::kind_of(oauth::trouble_named(error.text)), error.text, std::move(known)};
}

}  // namespace hikyaku::commands
