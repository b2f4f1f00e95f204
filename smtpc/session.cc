// SPDX-License-Identifier: MIT
#include "smtpc/session.h"

#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::smtpc {
namespace {

SecretMask mask_for(const mail::Smarthost& smarthost) {
  return smarthost.credentials ? SecretMask(*smarthost.credentials) : SecretMask();
}

}  // namespace

Session::Session(ClientContext with, io::StreamPtr stream)
    : context(std::move(with)),
      exchange(context.loop, std::move(stream), context.cancel, mask_for(context.smarthost)) {
  for (const Secret& token : context.knowledge.shown_tokens) exchange.hide(token);
  if (auto peer = exchange.stream()->peer()) address = peer->to_text();
  peer_name = exchange.stream()->peer_name();
  exchange.transcript().note(cat("connected to ", address.empty() ? "the smarthost" : address));
}

mail::Failure Session::failure(mail::Stage stage, mail::FailureKind kind) const {
  mail::Failure failure = mail::make_failure(context.smarthost, stage, kind);
  add_facts(failure);
  return failure;
}

mail::Failure Session::failure(mail::Stage stage, const IoError& error) const {
  mail::Failure failure = mail::make_failure(context.smarthost, stage, error);
  failure.detail = exchange.masked(failure.detail);  // of a TLS handshake: may hold text from the peer
  add_facts(failure);
  return failure;
}

mail::Failure Session::failure(mail::Stage stage, const ExchangeError& error) const {
  if (error.io) return failure(stage, IoError{*error.io, error.text});
  mail::Failure nonsense = failure(stage, mail::FailureKind::protocol_error);
  nonsense.detail = error.text;
  return nonsense;
}

void Session::add_facts(mail::Failure& failure) const {
  failure.address = address;
  if (is_direct() && !peer_name.empty()) failure.host = failure.tls_name = peer_name;
  failure.encrypted = is_encrypted();
  failure.logged_in = is_logged_in();
  failure.offered = capabilities.mechanisms;
  failure.mechanism = mechanism;
}

Refusal Session::refusal(mail::Failure failure) const {
  Verdict follows = verdict(failure.stage, failure.kind);
  failure.concerns = concerns(failure.stage, follows.action);
  return {std::move(failure), follows};
}

std::optional<Refusal> Session::judge(mail::Stage stage, const mail::Reply& reply, bool proven) const {
  Verdict follows = verdict(stage, reply,
                            {.logged_in = is_logged_in(),
                             .proven = proven,
                             .encrypted = is_encrypted(),
                             .peer = is_direct() ? Peer::destination : Peer::smarthost});
  if (follows.action == Action::proceed) return std::nullopt;
  mail::Failure said = failure(stage, follows.kind);
  said.concerns = concerns(stage, follows.action);
  said.reply = reply;
  return Refusal{std::move(said), follows};
}

bool Session::is_encrypted() const {
  return exchange.stream() != nullptr && exchange.stream()->tls() != nullptr;
}

}  // namespace hikyaku::smtpc
