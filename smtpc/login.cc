// SPDX-License-Identifier: MIT
#include "smtpc/login.h"

#include <utility>

#include "daemon/base/base64.h"
#include "daemon/base/text.h"
#include "smtpc/sasl_client.h"

namespace hikyaku::smtpc {
namespace {

using mail::FailureKind;
using mail::Stage;

constexpr int kMaxChallenges = 10;

// The result of one mechanism.
struct Attempt {
  AuthAction action = AuthAction::stop;
  std::optional<mail::Failure> failure;  // nullopt: logged in
};

Attempt stop(mail::Failure failure, const std::string& mechanism) {
  failure.mechanism = mechanism;
  return {AuthAction::stop, std::move(failure)};
}

Attempt protocol_error(const Session& session, const std::string& mechanism, std::string_view what) {
  mail::Failure failure = session.failure(Stage::auth, FailureKind::auth_protocol_error);
  failure.detail = session.exchange.masked(what);  // the SASL library may quote the peer's challenge
  return stop(std::move(failure), mechanism);
}

Attempt broken(const Session& session, const std::string& mechanism, const ExchangeError& error) {
  if (!error.io) return protocol_error(session, mechanism, error.text);
  return stop(session.failure(Stage::auth, error), mechanism);
}

Attempt cannot_begin(const Session& session, const std::string& mechanism, const SaslError& error) {
  bool missing = error.kind == SaslErrorKind::no_plugin;
  auto kind = missing ? FailureKind::missing_plugin : FailureKind::no_usable_mechanism;
  Attempt attempt = stop(session.failure(Stage::auth, kind), mechanism);
  attempt.failure->detail = error.text;
  attempt.action = AuthAction::next_mechanism;
  return attempt;
}

Attempt judge(const Session& session, const std::string& mechanism, const mail::Reply& reply, bool complete) {
  bool ever_worked = !session.context.knowledge.login.worked.empty();
  AuthVerdict verdict =
      auth_verdict(reply, {.ever_worked = ever_worked, .encrypted = session.is_encrypted()});
  if (verdict.action == AuthAction::logged_in && complete) return {AuthAction::logged_in, {}};
  if (verdict.action == AuthAction::logged_in)
    return protocol_error(session, mechanism, "the log-in was accepted before it was complete");
  Attempt attempt = stop(session.failure(Stage::auth, verdict.kind), mechanism);
  attempt.action = verdict.action;
  attempt.failure->reply = reply;
  return attempt;
}

// An empty response that exists is "=" (RFC 4954 4).
Secret first_command(const std::string& mechanism, const SaslClient& sasl) {
  const auto& initial = sasl.initial_response();
  if (!initial) return Secret(cat("AUTH ", mechanism));
  return Secret(cat("AUTH ", mechanism, " ", initial->empty() ? "=" : to_base64(*initial)));
}

Result<Secret, std::string> respond(SaslClient& sasl, const mail::Reply& reply) {
  auto challenge = from_base64(trim(reply.lines.front()));
  if (!challenge || reply.lines.size() > 1) return std::unexpected("a challenge that is not Base64");
  auto response = sasl.step(*challenge);
  if (!response) return std::unexpected(response.error().text);
  return Secret(to_base64(*response));
}

SaslClient::Options sasl_options(const Session& session) {
  const mail::Smarthost& smarthost = session.context.smarthost;
  return {.host = smarthost.host,
          .plaintext_allowed = session.is_encrypted() || smarthost.allow_plaintext_auth,
          .credentials = smarthost.credentials.value_or(mail::Credentials{})};
}

Task<Attempt> try_mechanism(Session& session, std::string mechanism) {
  Exchange& exchange = session.exchange;
  const Duration limit = session.context.smarthost.timeout.command;
  auto sasl = SaslClient::create(mechanism, sasl_options(session));
  if (!sasl) co_return cannot_begin(session, mechanism, sasl.error());
  Secret line = first_command(mechanism, **sasl);
  auto reply = co_await exchange.ask_for_login(line.reveal(), limit);
  for (int challenges = 1; reply && reply->code == 334; ++challenges) {
    auto response = respond(**sasl, *reply);
    if (!response || challenges > kMaxChallenges) {
      [[maybe_unused]] auto cancelled = co_await exchange.ask("*", limit);
      const std::string what = response ? "the server sent too many challenges" : response.error();
      co_return protocol_error(session, mechanism, what);
    }
    line = std::move(*response);
    reply = co_await exchange.ask_for_login(line.reveal(), limit);
  }
  if (!reply) co_return broken(session, mechanism, reply.error());
  co_return judge(session, mechanism, *reply, (*sasl)->is_complete());
}

// The failure to report when all mechanisms were refused: a wrong password says more than an unknown
// mechanism.
void keep_more_telling(std::optional<mail::Failure>& told, std::optional<mail::Failure> next) {
  if (!told || next->kind == FailureKind::auth_rejected) told = std::move(next);
}

// Some servers hang up after a refused mechanism, at once or when the next is tried.
bool has_hung_up(const mail::Failure& failure) {
  return failure.kind == FailureKind::closed_early || (failure.reply && failure.reply->code == 421);
}

std::unexpected<LoginRefusal> refuse(mail::Failure failure, bool try_again_at_once = false) {
  return std::unexpected(LoginRefusal{std::move(failure), try_again_at_once});
}

}  // namespace

Task<Result<void, LoginRefusal>> log_in(Session& session) {
  if (!wants_login(session.context.smarthost)) co_return Result<void, LoginRefusal>{};
  if (session.context.smarthost.oauth) {
    auto by_token = co_await log_in_with_token(session);
    co_return by_token;
  }
  LoginKnowledge& known = session.context.knowledge.login;
  auto usable = usable_mechanisms(session.context.smarthost, session.capabilities, session.is_encrypted(),
                                  available_mechanisms());
  if (!usable) {
    mail::Failure failure = session.failure(Stage::auth, usable.error().kind);
    failure.mechanism = usable.error().mechanism;
    co_return refuse(std::move(failure));
  }
  std::optional<mail::Failure> refused;
  for (const std::string& mechanism : mechanisms_to_try(*usable, known)) {
    auto attempt = co_await try_mechanism(session, mechanism);
    if (attempt.action == AuthAction::logged_in) {
      session.mechanism = mechanism;
      note_success(known, mechanism);
      co_return Result<void, LoginRefusal>{};
    }
    if (attempt.action == AuthAction::stop && refused && has_hung_up(*attempt.failure))
      co_return refuse(std::move(*refused), true);
    if (attempt.action == AuthAction::stop) co_return refuse(std::move(*attempt.failure));
    note_refusal(known, mechanism, *usable);
    keep_more_telling(refused, std::move(attempt.failure));
  }
  co_return refuse(std::move(*refused));
}

}  // namespace hikyaku::smtpc
