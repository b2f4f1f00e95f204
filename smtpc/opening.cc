// SPDX-License-Identifier: MIT
#include "smtpc/opening.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "smtpc/login.h"

namespace hikyaku::smtpc {
namespace {

using mail::FailureKind;
using mail::Stage;
using mail::TlsMode;
using Step = Result<void, Refusal>;

std::unexpected<Refusal> refuse(const Session& session, mail::Failure failure) {
  return std::unexpected(session.refusal(std::move(failure)));
}

// Judges a reply, or its absence, where only one reply lets the session go on.
Step outcome(const Session& session, Stage stage, const Result<mail::Reply, ExchangeError>& reply) {
  if (!reply) return refuse(session, session.failure(stage, reply.error()));
  auto refused = session.judge(stage, *reply);
  if (refused) return std::unexpected(*refused);
  return {};
}

Task<Step> shake_hands(Session& session) {
  auto until = session.exchange.within(session.context.smarthost.timeout.command);
  io::StreamPtr plain = session.exchange.take_stream();
  const std::string name = session.is_direct() ? session.peer_name : "";
  auto encrypted = co_await session.context.tls->connect(std::move(plain), until, name);
  if (!encrypted) co_return refuse(session, session.failure(Stage::tls, encrypted.error()));
  session.exchange.put_stream(std::move(*encrypted));
  const io::TlsInfo& tls = *session.exchange.stream()->tls();
  session.exchange.transcript().note(cat(tls.version, ", ", tls.cipher, ", certificate: ", tls.verdict));
  if (auto* observer = session.context.observer) observer->encrypted(tls);
  co_return Step{};
}

bool is_ours(const Session& session, const mail::Reply& greeting) {
  const std::string& token = session.context.instance_token;
  auto has_token = [&](const std::string& line) { return line.find(token) != line.npos; };
  return !token.empty() && std::ranges::any_of(greeting.lines, has_token);
}

Task<Step> greeting(Session& session) {
  const mail::Smarthost& smarthost = session.context.smarthost;
  auto until = session.exchange.within(smarthost.timeout.greeting);
  auto begun = co_await wait_for_greeting(session.context, session.exchange, until);
  if (!begun) co_return refuse(session, session.failure(Stage::greeting, begun.error()));
  if (*begun == Greeting::tls_expected)
    co_return refuse(session, session.failure(Stage::greeting, FailureKind::tls_from_first_byte));
  auto reply = co_await session.exchange.reply(smarthost.timeout.greeting);
  if (reply && is_ours(session, *reply))
    co_return refuse(session, session.failure(Stage::greeting, FailureKind::ourselves));
  Step step = outcome(session, Stage::greeting, reply);
  if (step && session.context.observer) session.context.observer->greeted(*reply);
  co_return step;
}

// HELO is for peers that do not know EHLO (RFC 5321 3.2); they have no extensions.
Task<Step> helo(Session& session) {
  std::string command = cat("HELO ", session.context.ehlo_name);
  auto reply = co_await session.exchange.ask(command, session.context.smarthost.timeout.command);
  auto said = outcome(session, Stage::ehlo, reply);
  if (!said) said.error().verdict.action = Action::pause_lane;  // there is nothing else to try
  co_return said;
}

Task<Step> ehlo(Session& session) {
  std::string command = cat("EHLO ", session.context.ehlo_name);
  auto reply = co_await session.exchange.ask(command, session.context.smarthost.timeout.command);
  auto said = outcome(session, Stage::ehlo, reply);
  if (said) session.capabilities = mail::parse_ehlo(*reply);
  if (said || said.error().verdict.action != Action::try_helo) co_return said;
  auto fallback = co_await helo(session);
  co_return fallback;
}

Task<Step> introduce(Session& session) {
  auto said = co_await ehlo(session);
  if (said && session.context.observer) session.context.observer->introduced(session.capabilities);
  co_return said;
}

bool wants_starttls(const Session& session) {
  const mail::Smarthost& smarthost = session.context.smarthost;
  if (smarthost.tls.mode == TlsMode::starttls) return true;
  if (smarthost.tls.mode != TlsMode::opportunistic) return false;
  if (wants_login(smarthost)) return true;
  const bool has_failed = session.is_direct() && session.context.connector.avoids_tls(session.address);
  return session.capabilities.starttls && !has_failed;
}

Task<Step> starttls(Session& session) {
  if (!session.capabilities.starttls)
    co_return refuse(session, session.failure(Stage::tls, FailureKind::starttls_not_offered));
  auto reply = co_await session.exchange.ask("STARTTLS", session.context.smarthost.timeout.command);
  auto said = outcome(session, Stage::tls, reply);
  if (!said) co_return said;
  // Clear text behind the 220 would be taken for replies inside TLS (CVE-2021-38371).
  bool more = co_await session.exchange.has_unread();
  if (more && !session.exchange.unread().empty()) {
    auto failure = session.failure(Stage::tls, FailureKind::injected_after_starttls);
    failure.detail = printable(session.exchange.masked(session.exchange.unread()));
    co_return refuse(session, std::move(failure));
  }
  session.capabilities = {};
  auto encrypted = co_await shake_hands(session);
  co_return encrypted;
}

}  // namespace

Result<std::shared_ptr<io::TlsClient>, IoError> make_tls_client(const mail::Smarthost& smarthost,
                                                                bool describe) {
  const mail::TlsSettings& tls = smarthost.tls;
  if (tls.mode == TlsMode::none) return nullptr;
  return io::TlsClient::create({.name = tls.hostname.empty() ? smarthost.host : tls.hostname,
                                .verify = tls.verify,
                                .ca_file = tls.ca_file,
                                .fingerprint = tls.fingerprint,
                                .min_version = tls.min_version,
                                .client_cert = tls.client_cert,
                                .client_key = tls.client_key,
                                .describe = describe});
}

Task<Step> open_session(Session& session) {
  if (session.context.smarthost.tls.mode == TlsMode::implicit) {
    auto encrypted = co_await shake_hands(session);
    if (!encrypted) co_return encrypted;
  }
  auto greeted = co_await greeting(session);
  if (!greeted) co_return greeted;
  auto introduced = co_await introduce(session);
  if (!introduced || !wants_starttls(session)) co_return introduced;
  auto encrypted = co_await starttls(session);
  if (!encrypted) co_return encrypted;
  auto again = co_await introduce(session);
  co_return again;
}

}  // namespace hikyaku::smtpc
