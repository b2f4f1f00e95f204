// SPDX-License-Identifier: MIT
#include <algorithm>
#include <utility>

#include "daemon/base/base64.h"
#include "daemon/base/json_value.h"
#include "daemon/base/text.h"
#include "smtpc/login.h"
#include "smtpc/token_source.h"

namespace hikyaku::smtpc {
namespace {

using mail::FailureKind;
using mail::Stage;

constexpr std::string_view kBearer = "OAUTHBEARER";
constexpr std::string_view kXoauth2 = "XOAUTH2";
constexpr std::string_view kSeparator = "\x01";
constexpr std::size_t kMostScope = 300;
constexpr std::size_t kMostShownTokens = 4;

// What became of one token with one mechanism.
struct BearerAttempt {
  std::optional<mail::Failure> failure;  // nullopt: logged in
  bool is_other_mechanism_worth_it = false;
  bool is_token_refused = false;  // a newer one may do better
};

std::unexpected<LoginRefusal> give_up(mail::Failure failure, bool again = false) {
  return std::unexpected(LoginRefusal{std::move(failure), again});
}

std::unexpected<LoginRefusal> without_token(const Session& session, TokenRefusal refusal) {
  mail::Failure failure = session.failure(Stage::auth, refusal.kind);
  failure.detail = std::move(refusal.detail);
  if (refusal.facts) failure.oauth = std::move(refusal.facts);
  return give_up(std::move(failure));
}

// "=" and "," have a meaning of their own in the GS2 header (RFC 5801 4).
std::string as_sasl_name(std::string_view user) {
  std::string name;
  for (char c : user) name += c == '=' ? "=3D" : c == ',' ? "=2C" : std::string(1, c);
  return name;
}

// A refused token is dropped from the failure's words but for the scope: nothing else in the JSON helps
// anybody.
mail::OAuthFactsPtr facts_of(const Session& session, const std::string& wanted_scope) {
  mail::OAuthFacts facts = session.context.tokens->facts(session.context.smarthost.name);
  facts.wanted_scope = wanted_scope;
  return std::make_shared<const mail::OAuthFacts>(std::move(facts));
}

bool grants(std::string_view granted, std::string_view wanted) {
  const auto each = words(granted);
  return std::ranges::any_of(words(wanted),
                             [&](auto one) { return std::ranges::find(each, one) != each.end(); });
}

// Dovecot says "mail" whatever it wants: only a scope that is a URL, as the providers' are, tells anything.
FailureKind kind_of_refusal(const mail::OAuthFacts& facts) {
  const bool is_told = facts.wanted_scope.find("://") != std::string::npos && !facts.granted_scope.empty();
  return is_told && !grants(facts.granted_scope, facts.wanted_scope) ? FailureKind::oauth_scope
                                                                     : FailureKind::oauth_token_refused;
}

// Microsoft HVE, of a token that has less than ten minutes left.
bool expires_too_soon(const mail::Reply& reply) {
  return reply.code == 501 && reply.status && reply.status->subject == 5 && reply.status->detail == 127;
}

BearerAttempt judge_bearer(const Session& session, const std::string& mechanism, const mail::Reply& reply,
                           const std::string& wanted_scope) {
  const AuthVerdict verdict = auth_verdict(reply, {.ever_worked = true, .encrypted = session.is_encrypted()});
  if (verdict.action == AuthAction::logged_in) return {};
  BearerAttempt attempt;
  attempt.failure = session.failure(Stage::auth, verdict.kind);
  attempt.failure->mechanism = mechanism;
  attempt.failure->reply = reply;
  attempt.is_other_mechanism_worth_it = verdict.action == AuthAction::next_mechanism;
  attempt.is_token_refused = verdict.kind == FailureKind::auth_rejected || expires_too_soon(reply);
  if (!attempt.is_token_refused) return attempt;
  attempt.failure->oauth = facts_of(session, wanted_scope);
  attempt.failure->kind = kind_of_refusal(*attempt.failure->oauth);
  attempt.is_other_mechanism_worth_it = false;
  return attempt;
}

// A smarthost that has not seen the token cannot know us.
BearerAttempt accepted_too_soon(const Session& session, const std::string& mechanism) {
  BearerAttempt attempt;
  attempt.failure = session.failure(Stage::auth, FailureKind::auth_protocol_error);
  attempt.failure->mechanism = mechanism;
  attempt.failure->detail = "the log-in was accepted before it was complete";
  return attempt;
}

BearerAttempt broken_off(const Session& session, const std::string& mechanism, const ExchangeError& error) {
  BearerAttempt attempt;
  attempt.failure = session.failure(Stage::auth, error);
  attempt.failure->mechanism = mechanism;
  return attempt;
}

// AUTH, the token, and if the answer is another challenge, the one reply that ends a refusal: an empty line,
// or ^A with OAUTHBEARER (RFC 7628 3.2.3). Whatever follows then is the verdict.
Task<BearerAttempt> try_token(Session& session, std::string mechanism, Secret token) {
  Exchange& exchange = session.exchange;
  const Duration limit = session.context.smarthost.timeout.command;
  auto reply = co_await exchange.ask_for_login(cat("AUTH ", mechanism), limit);
  if (reply && reply->code == 235) co_return accepted_too_soon(session, mechanism);
  std::string wanted_scope;
  if (reply && reply->code == 334) {
    const Secret response(to_base64(bearer_response(mechanism, session.context.smarthost, token).reveal()));
    reply = co_await exchange.ask_for_login(response.reveal(), limit);
  }
  if (reply && reply->code == 334) {
    const std::string challenge = from_base64(trim(reply->lines.front())).value_or("");
    wanted_scope = exchange.masked(scope_of_refusal(challenge));
    reply = co_await exchange.ask_for_login(mechanism == kBearer ? "AQ==" : "", limit);
  }
  if (!reply) co_return broken_off(session, mechanism, reply.error());
  co_return judge_bearer(session, mechanism, *reply, wanted_scope);
}

// Some servers hang up after a refused log-in: the newer token then wants a connection of its own.
bool has_hung_up(const std::optional<mail::Failure>& failure) {
  if (!failure) return false;
  return failure->kind == FailureKind::closed_early || (failure->reply && failure->reply->code == 421);
}

// From here on the smarthost may repeat the token, on this connection and on the next ones.
void note_shown(Session& session, const Secret& token) {
  std::vector<Secret>& shown = session.context.knowledge.shown_tokens;
  if (std::ranges::find(shown, token) != shown.end()) return;
  session.exchange.hide(token);
  if (shown.size() >= kMostShownTokens) shown.erase(shown.begin());
  shown.push_back(token);
}

// Each mechanism in turn, until one is understood.
Task<BearerAttempt> try_mechanisms(Session& session, std::vector<std::string> mechanisms, Secret token) {
  note_shown(session, token);
  BearerAttempt attempt;
  for (const std::string& mechanism : mechanisms) {
    attempt = co_await try_token(session, mechanism, token);
    if (!attempt.failure) session.mechanism = mechanism;
    if (!attempt.failure || !attempt.is_other_mechanism_worth_it || session.exchange.is_broken()) break;
  }
  co_return attempt;
}

Result<std::vector<std::string>, LoginRefusal> choose_mechanisms(const Session& session) {
  const mail::Smarthost& smarthost = session.context.smarthost;
  auto mechanisms = token_mechanisms(smarthost, session.capabilities);
  const bool is_hidden = session.is_encrypted() || smarthost.allow_plaintext_auth;
  if (!mechanisms.empty() && is_hidden) return mechanisms;
  const bool is_after_tls = !session.is_encrypted() && session.capabilities.starttls;
  FailureKind kind = FailureKind::plaintext_auth_not_allowed;
  if (mechanisms.empty())
    kind = !session.capabilities.mechanisms.empty() ? FailureKind::no_usable_mechanism
           : is_after_tls                           ? FailureKind::auth_only_after_tls
                                                    : FailureKind::auth_not_offered;
  return give_up(session.failure(Stage::auth, kind));
}

}  // namespace

Secret bearer_response(std::string_view mechanism, const mail::Smarthost& smarthost, const Secret& token) {
  if (mechanism == kXoauth2)
    return Secret(
        cat("user=", smarthost.user, kSeparator, "auth=Bearer ", token.reveal(), kSeparator, kSeparator));
  return Secret(cat("n,a=", as_sasl_name(smarthost.user), ",", kSeparator, "host=", smarthost.host,
                    kSeparator, "port=", std::to_string(smarthost.port), kSeparator, "auth=Bearer ",
                    token.reveal(), kSeparator, kSeparator));
}

std::string scope_of_refusal(std::string_view challenge) {
  auto json = parse_json(challenge);
  return json ? printable(json->text_of("scope"), kMostScope) : "";
}

std::vector<std::string> token_mechanisms(const mail::Smarthost& smarthost,
                                          const mail::Capabilities& capabilities) {
  std::vector<std::string> found;
  const auto& allowed = smarthost.mechanisms;
  for (std::string_view name : {kBearer, kXoauth2})
    if (capabilities.offers(name) && (allowed.empty() || std::ranges::find(allowed, name) != allowed.end()))
      found.emplace_back(name);
  return found;
}

Task<Result<void, LoginRefusal>> log_in_with_token(Session& session) {
  check(session.context.tokens != nullptr, "a smarthost with `oauth` and no source of tokens");
  auto mechanisms = choose_mechanisms(session);
  if (!mechanisms) co_return std::unexpected(std::move(mechanisms.error()));
  TokenSource& tokens = *session.context.tokens;
  const std::string name = session.context.smarthost.name;
  const io::Until until{kNever, session.context.cancel};
  auto token = co_await tokens.token(name, until);
  if (!token) co_return without_token(session, std::move(token.error()));
  auto attempt = co_await try_mechanisms(session, *mechanisms, *token);
  if (attempt.failure && attempt.is_token_refused) {
    auto newer = co_await tokens.newer_than(name, *token, until);
    if (!newer) co_return without_token(session, std::move(newer.error()));
    if (*newer && session.exchange.is_broken()) co_return give_up(std::move(*attempt.failure), true);
    auto again = *newer ? co_await try_mechanisms(session, *mechanisms, std::move(**newer)) : attempt;
    if (*newer && has_hung_up(again.failure)) co_return give_up(std::move(*attempt.failure), true);
    attempt = std::move(again);
  }
  if (attempt.failure) co_return give_up(std::move(*attempt.failure));
  co_return Result<void, LoginRefusal>{};
}

}  // namespace hikyaku::smtpc
