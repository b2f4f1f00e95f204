// SPDX-License-Identifier: MIT
#include "daemon/oauth/shared_token.h"

#include <utility>

#include "daemon/base/random.h"
#include "daemon/base/text.h"

namespace hikyaku::oauth {
namespace {

constexpr Duration kBetweenLooks = 500ms;
constexpr std::size_t kNameLength = 20;
constexpr std::string_view kNobody = "-";

// Every time of it, but for those that stand for none.
StoredToken shifted(StoredToken token, Duration by) {
  for (WallTime* time : {&token.expires, &token.obtained, &token.consented, &token.refused_since})
    if (*time != WallTime{}) *time += by;
  return token;
}

}  // namespace

SharedToken::SharedToken(io::Loop& loop, mail::SharedAccounts& accounts, const std::string& smarthost)
    : loop_(loop), accounts_(accounts), name_(cat("oauth ", smarthost)), me_(random_token(kNameLength)) {}

// A line "tokens 1 CLAIMANT UNTIL", then what a file of tokens has.
std::string SharedToken::to_state(const Entry& entry) {
  const std::string claimant = entry.claimant.empty() ? std::string(kNobody) : entry.claimant;
  return cat("tokens 1 ", claimant, " ", std::to_string(entry.claimed_until.time_since_epoch().count()), "\n",
             to_text(entry.token).reveal());
}

// What cannot be read is as if it were not there: somebody has to log in again.
SharedToken::Entry SharedToken::parse(std::string_view state) {
  const auto end = std::min(state.find('\n'), state.size());
  const auto head = words(state.substr(0, end));
  if (head.size() != 4 || head[0] != "tokens" || head[1] != "1") return {};
  const auto until = parse_number(head[3]).value_or(0);
  Entry entry;
  if (head[2] != kNobody) entry.claimant = std::string(head[2]);
  entry.claimed_until = WallTime(Duration(static_cast<Duration::rep>(until)));
  entry.token = parse_stored_token(state.substr(end)).value_or(StoredToken{});
  return entry;
}

Task<Result<SharedToken::Entry, std::string>> SharedToken::read() {
  auto account = co_await accounts_.get(name_);
  if (!account) co_return std::unexpected(std::move(account.error().text));
  const Secret wiped(std::move(account->state));
  version_ = account->version;
  now_ = account->now;
  ahead_ = now_ - loop_.clock().wall();
  co_return parse(wiped.reveal());
}

Task<Result<std::optional<StoredToken>, std::string>> SharedToken::look() {
  auto entry = co_await read();
  if (!entry) co_return std::unexpected(entry.error());
  if (std::exchange(seen_, version_) == version_) co_return std::nullopt;
  co_return shifted(std::move(entry->token), -ahead_);
}

Task<Result<StoredToken, std::string>> SharedToken::claim(Suffices suffices, io::Until until) {
  for (;;) {
    auto entry = co_await read();
    if (!entry) co_return std::unexpected(entry.error());
    StoredToken token = shifted(entry->token, -ahead_);
    seen_ = version_;
    if (suffices(token)) co_return token;
    const bool is_others = !entry->claimant.empty() && entry->claimant != me_ && entry->claimed_until > now_;
    if (!is_others) {
      entry->claimant = me_;
      entry->claimed_until = now_ + kClaim;
      auto put = co_await accounts_.put(name_, version_, to_state(*entry));
      if (!put) co_return std::unexpected(put.error().text);
      has_claim_ = *put;
      if (*put) co_return token;
      continue;
    }
    const Instant next = std::min(until.deadline, loop_.now() + kBetweenLooks);
    auto woken = co_await io::sleep_until(loop_, {next, until.cancel});
    if (woken == io::Woken::cancelled || loop_.now() >= until.deadline)
      co_return std::unexpected("another node asks the provider at this moment");
  }
}

Task<Result<void, std::string>> SharedToken::save(StoredToken token, bool is_decided) {
  for (;;) {
    auto entry = co_await read();
    if (!entry) co_return std::unexpected(entry.error());
    StoredToken ours = shifted(token, ahead_);
    const bool is_late = !is_decided && entry->token.obtained > ours.obtained + 1s;  // seconds are kept
    const bool has_claim = entry->claimant == me_;
    if (is_late && !has_claim) co_return {};
    if (!is_late) entry->token = std::move(ours);
    if (has_claim || entry->claimed_until <= now_) entry->claimant.clear();
    auto put = co_await accounts_.put(name_, version_, to_state(*entry));
    if (!put) co_return std::unexpected(put.error().text);
    if (!*put) continue;
    has_claim_ = false;
    co_return {};
  }
}

}  // namespace hikyaku::oauth
