// SPDX-License-Identifier: MIT
// The tokens of all smarthosts with `oauth`: a Refresher each, over one store and one way to the providers.
// Where there is no such smarthost nothing is opened, asked or written. The loop's thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/io/nursery.h"
#include "daemon/oauth/refresher.h"

namespace hikyaku::oauth {

using OpenStore =
    std::function<Result<std::unique_ptr<TokenStore>, std::string>(const std::string& directory)>;

// All outlive the tokens.
struct TokensParts {
  io::Loop& loop;
  log::MailLog& log;
  TokenEndpoint& endpoint;
  std::function<void()> on_token;  // mail that has waited for one may go
  OpenStore open_store = open_token_store;
  Jitter jitter = random_fraction;
  mail::SharedAccounts* accounts =
      nullptr;  // has them where daemons share the spool; null: the directory has
};

class Tokens final : public smtpc::TokenSource {
 public:
  explicit Tokens(TokensParts parts);
  ~Tokens() override;

  // At the start and at each reload. Of a smarthost whose settings are the same the tokens stay, and what was
  // put off is tried again.
  void configure(const std::string& directory, const std::vector<mail::Smarthost>& smarthosts);
  // Nothing is refreshed any more. Returns when what is under way has ended.
  Task<void> stop();

  // Those of one smarthost, for the operator; null if it has no `oauth`. Valid until the next configure(),
  // and longer for whoever keeps the pointer.
  std::shared_ptr<Refresher> find(const std::string& smarthost) const;
  std::vector<std::shared_ptr<Refresher>> all() const;

  Task<Result<Secret, smtpc::TokenRefusal>> token(std::string smarthost, io::Until until) override;
  Task<Result<std::optional<Secret>, smtpc::TokenRefusal>> newer_than(std::string smarthost, Secret refused,
                                                                      io::Until until) override;
  mail::OAuthFacts facts(const std::string& smarthost) const override;
  std::optional<mail::OAuthReport> report(const std::string& smarthost) const override;

 private:
  void open(const std::string& directory);
  std::shared_ptr<Refresher> make(const mail::Smarthost& smarthost);

  TokensParts parts_;
  Turnstile turnstile_;
  std::string directory_;
  std::unique_ptr<TokenStore> store_;
  std::map<std::string, std::shared_ptr<Refresher>, std::less<>> refreshers_;
  io::Nursery nursery_;
};

// Whether the same token serves both: where and as whom it is asked for.
bool is_same_login(const mail::Smarthost& a, const mail::Smarthost& b);

}  // namespace hikyaku::oauth
