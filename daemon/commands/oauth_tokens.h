// SPDX-License-Identifier: MIT
// Tokens for commands: read where the daemon keeps them, and made anew by the daemon, which alone writes
// while it runs; where none runs, by the command itself under the lock of the directory. What nodes share is read in
// their database, and made by a daemon alone. Blocks, also in what
// looks like a coroutine: a command has nothing else to do.
#pragma once

#include <string>

#include "daemon/base/exit.h"
#include "daemon/config/load.h"
#include "daemon/config/settings.h"
#include "daemon/oauth/token_store.h"
#include "daemon/system/loading.h"
#include "smtpc/token_source.h"

namespace hikyaku::commands {

class CommandTokens final : public smtpc::TokenSource {
 public:
  // The settings outlive it.
  explicit CommandTokens(const config::Settings& settings);

  Task<Result<Secret, smtpc::TokenRefusal>> token(std::string smarthost, io::Until until) override;
  Task<Result<std::optional<Secret>, smtpc::TokenRefusal>> newer_than(std::string smarthost, Secret refused,
                                                                      io::Until until) override;
  mail::OAuthFacts facts(const std::string& smarthost) const override;
  std::optional<mail::OAuthReport> report(const std::string& smarthost) const override;

  // A new access token, kept. The error has what the provider, or the daemon, says.
  Result<void, StartError> refresh(const std::string& smarthost);
  // Keeps what somebody has just consented to.
  Result<void, StartError> keep(const std::string& smarthost, oauth::StoredToken token);
  // The provider is told, and the tokens are gone.
  Result<void, StartError> revoke(const std::string& smarthost);
  // nullopt: there is none.
  Result<std::optional<oauth::StoredToken>, StartError> stored(const std::string& smarthost) const;

 private:
  const mail::Smarthost& find(const std::string& smarthost) const;
  bool is_shared() const { return !settings_.spool.url.empty(); }  // with other nodes, in a database
  Result<void, StartError> refresh_here(const mail::Smarthost& smarthost);
  Result<void, StartError> keep_here(const mail::Smarthost& smarthost, oauth::StoredToken token);
  Result<void, StartError> revoke_here(const mail::Smarthost& smarthost);
  smtpc::TokenRefusal refusal(const std::string& smarthost, const StartError& error) const;

  const config::Settings& settings_;
  std::string socket_;
};

// What the daemon would load, and from then on with its eyes. As root the directory of tokens is made first,
// for its user. Errors: configuration.
Result<system::Loaded, StartError> load_for_oauth(const std::string& config,
                                                  const system::LoadCalls& calls = {});

// The smarthosts with `oauth`; of this name alone, unless it is empty. Errors: usage, with the names there
// are.
Result<std::vector<mail::Smarthost>, StartError> with_oauth(const config::Settings& settings,
                                                            const std::string& name);

// The sub-commands of `hikyaku oauth` but for `login` (trials.h). They print as they go; as root the process becomes the
// daemon's user, for good.
struct OAuthOptions {
  std::string config = config::kDefaultConfig;
  std::string name{};           // of a smarthost; empty: the only one with `oauth`, of status all
  std::string file{};           // import: what is taken over
  std::string account{};        // import: the section in it; empty: the smarthost's user
  std::string password_file{};  // import: email-oauth2-proxy's
  bool json = false;            // status
};
Exit run_oauth_status(const OAuthOptions& options, const system::LoadCalls& calls = {});
Exit run_oauth_refresh(const OAuthOptions& options, const system::LoadCalls& calls = {});
Exit run_oauth_revoke(const OAuthOptions& options, const system::LoadCalls& calls = {});
Exit run_oauth_import(const OAuthOptions& options, const system::LoadCalls& calls = {});

}  // namespace hikyaku::commands
