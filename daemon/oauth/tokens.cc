// SPDX-License-Identifier: MIT
#include "daemon/oauth/tokens.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::oauth {
namespace {

// A value in the frame: a reload may drop it from the table meanwhile.
Task<void> run(std::shared_ptr<Refresher> refresher) { co_await refresher->run(); }

std::unexpected<smtpc::TokenRefusal> unknown() {
  return std::unexpected(
      smtpc::TokenRefusal{mail::FailureKind::oauth_setup, "the smarthost is no longer configured"});
}

}  // namespace

bool is_same_login(const mail::Smarthost& a, const mail::Smarthost& b) {
  return a.oauth == b.oauth && a.user == b.user && a.name == b.name;
}

Tokens::Tokens(TokensParts parts)
    : parts_(std::move(parts)), turnstile_(parts_.loop), nursery_(parts_.loop) {}

Tokens::~Tokens() = default;

void Tokens::configure(const std::string& directory, const std::vector<mail::Smarthost>& smarthosts) {
  const auto has_oauth = [](const mail::Smarthost& each) { return each.oauth.has_value(); };
  if (std::ranges::any_of(smarthosts, has_oauth)) open(directory);
  auto before = std::exchange(refreshers_, {});
  for (const mail::Smarthost& smarthost : smarthosts) {
    if (!smarthost.oauth) continue;
    const auto known = before.find(smarthost.name);
    const bool is_same = known != before.end() && is_same_login(known->second->smarthost(), smarthost);
    refreshers_[smarthost.name] = is_same ? known->second : make(smarthost);
    if (is_same) known->second->forget_trouble();
  }
  for (const auto& [name, refresher] : before)
    if (find(name) != refresher) refresher->stop();
}

// A reload does not change the directory.
void Tokens::open(const std::string& directory) {
  if (store_ != nullptr || parts_.accounts != nullptr) return;
  auto store = parts_.open_store(directory);
  if (store)
    store_ = std::move(*store);
  else
    parts_.log.error(cat("`oauth_directory` cannot be used: ", printable(store.error(), 300)));
}

std::shared_ptr<Refresher> Tokens::make(const mail::Smarthost& smarthost) {
  auto refresher = std::make_shared<Refresher>(RefresherParts{.loop = parts_.loop,
                                                              .log = parts_.log,
                                                              .endpoint = parts_.endpoint,
                                                              .turnstile = turnstile_,
                                                              .store = [this] { return store_.get(); },
                                                              .on_token = parts_.on_token,
                                                              .jitter = parts_.jitter,
                                                              .accounts = parts_.accounts},
                                               smarthost);
  nursery_.spawn(run(refresher));
  return refresher;
}

Task<void> Tokens::stop() {
  for (const auto& [name, refresher] : refreshers_) refresher->stop();
  co_await nursery_.drained({});
}

std::shared_ptr<Refresher> Tokens::find(const std::string& smarthost) const {
  const auto found = refreshers_.find(smarthost);
  return found == refreshers_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<Refresher>> Tokens::all() const {
  std::vector<std::shared_ptr<Refresher>> list;
  for (const auto& [name, refresher] : refreshers_) list.push_back(refresher);
  return list;
}

Task<Result<Secret, smtpc::TokenRefusal>> Tokens::token(std::string smarthost, io::Until until) {
  auto refresher = find(smarthost);
  if (!refresher) co_return unknown();
  auto token = co_await refresher->token(until);
  co_return token;
}

Task<Result<std::optional<Secret>, smtpc::TokenRefusal>> Tokens::newer_than(std::string smarthost,
                                                                            Secret refused, io::Until until) {
  auto refresher = find(smarthost);
  if (!refresher) co_return unknown();
  auto token = co_await refresher->newer_than(std::move(refused), until);
  co_return token;
}

mail::OAuthFacts Tokens::facts(const std::string& smarthost) const {
  const auto refresher = find(smarthost);
  return refresher ? refresher->facts() : mail::OAuthFacts{};
}

std::optional<mail::OAuthReport> Tokens::report(const std::string& smarthost) const {
  const auto refresher = find(smarthost);
  return refresher ? std::optional(refresher->report()) : std::nullopt;
}

}  // namespace hikyaku::oauth
