// SPDX-License-Identifier: MIT
// One smarthost's token: has it ready before mail needs it, and knows why there is none. Refreshes are in
// single flight, made ahead of the end (due_after()), at least weekly so that no consent lapses for want of
// use, and what the provider gives is durable before it is used. Errors that may pass are tried again soon,
// all others seldom; either way the old access token goes on while it is valid, the refresh token is never
// thrown away, and no mail ever bounces: the lane waits. Where daemons share the spool they share the token, and one of
// them asks the provider (shared_token.h). The loop's thread; stop() before it is destroyed.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daemon/base/random.h"
#include "daemon/io/loop.h"
#include "daemon/log/mail_log.h"
#include "daemon/mail/queue_state.h"
#include "daemon/mail/smarthost.h"
#include "daemon/oauth/grants.h"
#include "daemon/oauth/shared_token.h"
#include "daemon/oauth/token_store.h"
#include "smtpc/token_source.h"

namespace hikyaku::oauth {

inline constexpr Duration kKeepAlive = 7 * 24h;

// How long after the answer the next refresh is due: ten minutes and a little before the end (Microsoft's HVE
// demands ten), or a quarter of a short life. `fraction` in [0, 1) spreads several.
Duration due_after(Duration lifetime, double fraction);
// The wait after so many failures in a row (1: the first): 40 s, doubled up to 10 min.
Duration transient_wait(unsigned failures, double fraction);
inline constexpr Duration kPermanentWait = 6h;
// The failure that a lane tells of.
mail::FailureKind kind_of(TokenTrouble trouble);

// One request to a provider at a time, however many smarthosts there are: each holds one of the pool's few
// threads, up to 30 s.
class Turnstile {
 public:
  explicit Turnstile(io::Loop& loop) : left_(loop) {}
  Task<void> enter();
  void leave();

 private:
  io::Event left_;
  bool is_taken_ = false;
};

// All outlive the refresher.
struct RefresherParts {
  io::Loop& loop;
  log::MailLog& log;
  TokenEndpoint& endpoint;
  Turnstile& turnstile;
  std::function<TokenStore*()> store;  // null while there is none
  std::function<void()> on_token;      // a new token is there after a time without
  Jitter jitter = random_fraction;
  mail::SharedAccounts* accounts = nullptr;  // in place of a store, where daemons share the spool
};

class Refresher {
 public:
  Refresher(RefresherParts parts, mail::Smarthost smarthost);
  Refresher(const Refresher&) = delete;

  // Reads what is stored, then refreshes ahead of need, until stop(). Once.
  Task<void> run();
  void stop() { stopping_.request(); }

  Task<Result<Secret, smtpc::TokenRefusal>> token(io::Until until);
  Task<Result<std::optional<Secret>, smtpc::TokenRefusal>> newer_than(Secret refused, io::Until until);
  mail::OAuthFacts facts() const;

  // Now, whatever an earlier refusal says. The error is in plain words.
  Task<Result<void, std::string>> refresh_now();
  // What `hikyaku oauth login` and `import` bring. Durable when it returns. The error says why it could not
  // be kept.
  Task<Result<void, std::string>> adopt(StoredToken token);
  // The provider is told, where it wants to know; then the tokens are gone here, too.
  Task<Result<void, std::string>> revoke_now();
  // What an earlier refusal had put off is tried at the next need.
  void forget_trouble();

  mail::OAuthReport report() const;
  const mail::Smarthost& smarthost() const { return smarthost_; }

 private:
  struct Trouble {
    TokenError error;
    WallTime since;
    WallTime next;
    unsigned failures = 1;
  };

  Task<void> read_store();
  Task<void> read_file();
  Task<void> look_at_shared();
  void take(StoredToken found);
  Task<bool> is_our_turn();
  Task<void> refresh();
  Task<void> ask_provider();
  Task<void> keep(StoredToken token, bool is_decided = false);
  void accept(Grant grant);
  void note(TokenError error);
  bool may_ask() const;
  bool is_valid() const;
  bool is_put_off() const { return trouble_ && wall() < trouble_->next; }
  WallTime next_due() const;
  WallTime wall() const { return parts_.loop.clock().wall(); }
  bool is_login() const { return smarthost_.oauth->flow == mail::OAuthFlow::login; }
  smtpc::TokenRefusal refusal() const;
  StoredToken blank() const;

  RefresherParts parts_;
  mail::Smarthost smarthost_;
  StoredToken token_;
  std::optional<SharedToken> shared_;
  std::optional<Trouble> trouble_;
  std::string store_trouble_;
  bool is_read_ = false;
  bool is_refreshing_ = false;
  bool is_unsaved_ = false;
  double fraction_ = 0;  // of the refresh that comes next
  io::Event changed_;
  io::Cancel stopping_;
};

}  // namespace hikyaku::oauth
