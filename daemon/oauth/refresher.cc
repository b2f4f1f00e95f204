// SPDX-License-Identifier: MIT
#include "daemon/oauth/refresher.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/io/work.h"

namespace hikyaku::oauth {
namespace {

using mail::FailureKind;

constexpr Duration kAhead = 10min;
constexpr Duration kFirstWait = 40s;
constexpr Duration kLongestWait = 10min;
constexpr Duration kFreshFor =
    60s;  // a token that is refused so soon after it was made will be refused again
constexpr Duration kLongestNap = 1min;  // the wall clock may be set meanwhile

Duration scaled(Duration time, double by) {
  return Duration(static_cast<Duration::rep>(std::llround(static_cast<double>(time.count()) * by)));
}

bool may_pass(TokenTrouble trouble) { return kind_of(trouble) == FailureKind::oauth_unreachable; }

}  // namespace

FailureKind kind_of(TokenTrouble trouble) {
  switch (trouble) {
    case TokenTrouble::consent:
    case TokenTrouble::denied: return FailureKind::oauth_consent_needed;
    case TokenTrouble::client: return FailureKind::oauth_client_refused;
    case TokenTrouble::setup: return FailureKind::oauth_setup;
    default: return FailureKind::oauth_unreachable;
  }
}

Duration due_after(Duration lifetime, double fraction) {
  return lifetime - std::min(kAhead + scaled(kAhead, 0.1 * fraction), lifetime / 4);
}

Duration transient_wait(unsigned failures, double fraction) {
  Duration wait = kFirstWait;
  for (unsigned i = 1; i < failures && wait < kLongestWait; ++i) wait *= 2;
  return std::min(scaled(std::min(wait, kLongestWait), 0.9 + 0.2 * fraction), kLongestWait);
}

Task<void> Turnstile::enter() {
  while (is_taken_) co_await left_.wait({});
  is_taken_ = true;
}

void Turnstile::leave() {
  is_taken_ = false;
  left_.notify();
}

Refresher::Refresher(RefresherParts parts, mail::Smarthost smarthost)
    : parts_(std::move(parts)), smarthost_(std::move(smarthost)), changed_(parts_.loop) {
  check(smarthost_.oauth.has_value(), "a smarthost without `oauth` has no token");
  token_ = blank();
  if (parts_.accounts != nullptr) shared_.emplace(parts_.loop, *parts_.accounts, smarthost_.name);
}

StoredToken Refresher::blank() const {
  StoredToken token;
  token.client = client_mark(smarthost_.oauth->client_id);
  token.user = smarthost_.user;
  return token;
}

// ---- ahead of need

Task<void> Refresher::run() {
  co_await read_store();
  while (!stopping_.is_requested()) {
    if (is_unsaved_)
      co_await keep(token_);
    else if (shared_)
      co_await look_at_shared();
    if (may_ask() && wall() >= next_due()) co_await refresh();
    const Duration nap = std::clamp<Duration>(next_due() - wall(), 100ms, kLongestNap);
    co_await changed_.wait(parts_.loop.within(nap, &stopping_));
  }
}

Task<void> Refresher::read_store() {
  if (shared_)
    co_await look_at_shared();
  else
    co_await read_file();
  if (!store_trouble_.empty())
    parts_.log.error(
        cat("the tokens of ", smarthost_.name, " cannot be read: ", printable(store_trouble_, 300)));
  fraction_ = parts_.jitter();
  is_read_ = true;
  changed_.notify();
}

// A file of another client or user is a former configuration's, and would be refused.
Task<void> Refresher::read_file() {
  TokenStore* store = parts_.store();
  if (store != nullptr) {
    auto stored =
        co_await io::run_on_pool(parts_.loop, [store, name = smarthost_.name] { return store->load(name); });
    if (!stored) store_trouble_ = stored.error();
    const bool is_ours =
        stored && *stored && (*stored)->client == token_.client && (*stored)->user == token_.user;
    if (is_ours && token_.refresh_token.empty()) token_ = std::move(**stored);
  } else {
    store_trouble_ = "`oauth_directory` cannot be used";
  }
}

// What came here meanwhile is newer than what has been read.
Task<void> Refresher::look_at_shared() {
  const Secret access = token_.access_token, refresh = token_.refresh_token;
  auto found = co_await shared_->look();
  if (found || !is_read_) store_trouble_ = found ? "" : found.error();
  const bool is_same = token_.access_token == access && token_.refresh_token == refresh;
  if (found && *found && is_same && !is_refreshing_) take(std::move(**found));
}

// What another daemon has got, or somebody has decided at one, counts here too; but not more than what this one has got
// later, and could not keep yet.
void Refresher::take(StoredToken found) {
  if (found.client != token_.client || found.user != token_.user) found = blank();
  if (is_unsaved_ && token_.obtained >= found.obtained) return;
  if (found.access_token == token_.access_token && found.refresh_token == token_.refresh_token) return;
  const bool was_without = trouble_.has_value() || !is_valid();
  if (trouble_) parts_.log.info("there are new tokens again", {{"smarthost", smarthost_.name}});
  token_ = std::move(found);
  trouble_.reset();
  fraction_ = parts_.jitter();
  changed_.notify();
  if (was_without && may_ask() && parts_.on_token) parts_.on_token();
}

bool Refresher::may_ask() const { return !is_login() || !token_.refresh_token.empty(); }

bool Refresher::is_valid() const { return !token_.access_token.empty() && wall() < token_.expires; }

// Wall time, which goes on while the machine sleeps.
WallTime Refresher::next_due() const {
  if (!may_ask()) return WallTime::max();
  if (trouble_) return trouble_->next;
  if (token_.access_token.empty()) return WallTime{};
  const Duration life = std::min(due_after(token_.lifetime, fraction_), kKeepAlive);
  const WallTime due = token_.obtained + life;
  return token_.obtained > wall() ? wall() : due;  // the clock was set back
}

// ---- the provider

Task<void> Refresher::refresh() {
  while (is_refreshing_) {
    co_await changed_.wait({});
    if (!is_refreshing_) co_return;
  }
  is_refreshing_ = true;
  co_await parts_.turnstile.enter();
  co_await ask_provider();
  parts_.turnstile.leave();
  is_refreshing_ = false;
  changed_.notify();
}

// False: there is a token now that another daemon has asked for, or nobody may ask.
Task<bool> Refresher::is_our_turn() {
  auto suffices = [this, before = token_.access_token](const StoredToken& there) {
    const bool is_ours = there.client == token_.client && there.user == token_.user;
    return is_ours && !there.access_token.empty() && there.access_token != before && wall() < there.expires;
  };
  auto found = co_await shared_->claim(suffices, {kNever, &stopping_});
  if (!found) note({TokenTrouble::transient, found.error()});
  if (!found) co_return false;
  take(std::move(*found));
  if (shared_->has_claim() && !may_ask()) co_await keep(token_);
  co_return shared_->has_claim();
}

// What comes is kept before anybody may use it.
Task<void> Refresher::ask_provider() {
  if (shared_) {
    auto is_ours = co_await is_our_turn();
    if (!is_ours) co_return;
  }
  TokenRequest request{.settings = *smarthost_.oauth,
                       .user = smarthost_.user,
                       .refresh_token = token_.refresh_token,
                       .now = wall()};
  auto grant = co_await io::run_on_pool(
      parts_.loop, [&request, endpoint = &parts_.endpoint] { return obtain(request, *endpoint); });
  if (grant)
    accept(std::move(*grant));
  else
    note(std::move(grant.error()));
  co_await keep(token_);
}

void Refresher::accept(Grant grant) {
  const bool was_without = trouble_.has_value() || !is_valid();
  if (trouble_) parts_.log.info("there are new tokens again", {{"smarthost", smarthost_.name}});
  put_into(token_, std::move(grant), smarthost_.oauth->scope, wall());
  trouble_.reset();
  fraction_ = parts_.jitter();
  if (was_without && parts_.on_token) parts_.on_token();
}

// One line for each trouble, not for each attempt.
void Refresher::note(TokenError error) {
  const bool is_news = !trouble_ || trouble_->error.kind != error.kind;
  const unsigned failures = is_news ? 1 : trouble_->failures + 1;
  Duration wait = may_pass(error.kind) ? transient_wait(failures, parts_.jitter()) : kPermanentWait;
  if (error.retry_after && may_pass(error.kind)) wait = std::clamp<Duration>(*error.retry_after, wait, 1h);
  const WallTime since = is_news ? wall() : trouble_->since;
  if (is_news)
    parts_.log.warning(
        cat("no new token: ", may_pass(error.kind) ? "tried again by itself" : "somebody has to look at it"),
        {{"smarthost", smarthost_.name},
         {"reason", std::string(to_text(kind_of(error.kind)))},
         {"said", error.text}});
  trouble_ = Trouble{std::move(error), since, wall() + wait, failures};
  if (may_pass(trouble_->error.kind)) return;
  token_.refused = trouble_->error.text;
  token_.refused_since = since;
}

// What cannot be kept is used all the same, and kept as soon as that is possible: a rotated refresh token is
// the only one that still works.
Task<void> Refresher::keep(StoredToken token, bool is_decided) {
  TokenStore* store = shared_ ? nullptr : parts_.store();
  Result<void, std::string> kept = std::unexpected("`oauth_directory` cannot be used");
  if (shared_) kept = co_await shared_->save(token, is_decided);
  if (store != nullptr)
    kept = co_await io::run_on_pool(parts_.loop,
                                    [&, name = smarthost_.name] { return store->save(name, token); });
  if (!kept && !is_unsaved_)
    parts_.log.error(cat("the new token of ", smarthost_.name,
                         " cannot be kept, and is lost at a restart: ", printable(kept.error(), 300)));
  is_unsaved_ = !kept;
  store_trouble_ = kept ? "" : kept.error();
}

// ---- for the lanes

Task<Result<Secret, smtpc::TokenRefusal>> Refresher::token(io::Until until) {
  while (!is_read_ || is_refreshing_) {
    if (is_read_ && is_valid()) break;
    auto woken = co_await changed_.wait(until);
    if (woken != io::Woken::ready) co_return std::unexpected(refusal());
  }
  if (!is_valid() && shared_) co_await look_at_shared();
  if (!is_valid() && may_ask() && !is_put_off()) co_await refresh();
  if (is_valid()) co_return token_.access_token;
  co_return std::unexpected(refusal());
}

Task<Result<std::optional<Secret>, smtpc::TokenRefusal>> Refresher::newer_than(Secret refused, io::Until) {
  const bool is_older = refused != token_.access_token;
  if (is_older && is_valid()) co_return std::optional(token_.access_token);
  if (is_put_off()) co_return std::unexpected(refusal());  // why the provider gives no newer one says more
  if (wall() - token_.obtained < kFreshFor) co_return std::nullopt;
  co_await refresh();
  if (trouble_) co_return std::unexpected(refusal());
  co_return std::optional(token_.access_token);
}

mail::OAuthFacts Refresher::facts() const {
  mail::OAuthFacts facts{.provider = smarthost_.oauth->provider, .flow = smarthost_.oauth->flow};
  facts.granted_scope = token_.scope;
  facts.file = smarthost_.oauth->client_secret_file.empty() ? smarthost_.oauth->client_cert
                                                            : smarthost_.oauth->client_secret_file;
  if (trouble_ && !trouble_->error.file.empty()) facts.file = trouble_->error.file;
  if (token_.consented != WallTime{})
    facts.age_seconds = std::chrono::duration_cast<std::chrono::seconds>(wall() - token_.consented).count();
  return facts;
}

smtpc::TokenRefusal Refresher::refusal() const {
  auto known = std::make_shared<const mail::OAuthFacts>(facts());
  if (trouble_) return {kind_of(trouble_->error.kind), trouble_->error.text, std::move(known)};
  if (!may_ask() && !store_trouble_.empty()) {
    auto unreadable = std::make_shared<mail::OAuthFacts>(*known);
    unreadable->file = "the file of tokens";
    return {FailureKind::oauth_setup, store_trouble_, std::move(unreadable)};
  }
  if (!may_ask()) return {FailureKind::oauth_consent_needed, "", std::move(known)};
  return {FailureKind::oauth_unreachable, "", std::move(known)};
}

// ---- for the operator

Task<Result<void, std::string>> Refresher::refresh_now() {
  while (!is_read_) co_await changed_.wait({});
  if (!may_ask() && shared_) co_await look_at_shared();  // somebody may have consented at another daemon
  if (!may_ask())
    co_return std::unexpected(
        cat("nobody has consented yet: run `hikyaku oauth login ", smarthost_.name, "`"));
  co_await refresh();
  if (trouble_) co_return std::unexpected(trouble_->error.text);
  co_return {};
}

Task<Result<void, std::string>> Refresher::adopt(StoredToken token) {
  while (!is_read_ || is_refreshing_) co_await changed_.wait({});
  token.client = client_mark(smarthost_.oauth->client_id);
  token.user = smarthost_.user;
  token_ = std::move(token);
  trouble_.reset();
  is_refreshing_ = true;  // nobody uses it before it is kept
  co_await keep(token_, true);
  is_refreshing_ = false;
  if (!is_valid()) co_await refresh();
  changed_.notify();
  if (parts_.on_token) parts_.on_token();
  if (is_unsaved_) co_return std::unexpected(store_trouble_);
  if (trouble_ && !may_pass(trouble_->error.kind)) co_return std::unexpected(trouble_->error.text);
  co_return {};
}

Task<Result<void, std::string>> Refresher::revoke_now() {
  while (!is_read_ || is_refreshing_) co_await changed_.wait({});
  const Secret last = token_.refresh_token.empty() ? token_.access_token : token_.refresh_token;
  Result<void, TokenError> told;
  if (!smarthost_.oauth->revoke_url.empty() && !last.empty())
    told = co_await io::run_on_pool(
        parts_.loop, [&, now = wall()] { return revoke(*smarthost_.oauth, last, parts_.endpoint, now); });
  if (!told) co_return std::unexpected(told.error().text);
  token_ = blank();
  trouble_.reset();
  co_await keep(token_, true);
  changed_.notify();
  co_return {};
}

void Refresher::forget_trouble() {
  if (trouble_) trouble_->next = wall();
  changed_.notify();
}

mail::OAuthReport Refresher::report() const {
  mail::OAuthReport report = report_on(token_, is_login());
  report.refused = trouble_ ? trouble_->error.text : store_trouble_;
  report.since = trouble_ ? std::optional(trouble_->since) : std::nullopt;
  report.next = trouble_ ? std::optional(trouble_->next) : std::nullopt;
  report.needs_operator =
      !may_ask() || !store_trouble_.empty() || (trouble_ && !may_pass(trouble_->error.kind));
  return report;
}

}  // namespace hikyaku::oauth
