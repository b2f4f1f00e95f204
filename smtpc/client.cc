// SPDX-License-Identifier: MIT
#include "smtpc/client.h"

#include <utility>

#include "daemon/base/error.h"
#include "smtpc/login.h"
#include "smtpc/opening.h"
#include "smtpc/rehearsal.h"

namespace hikyaku::smtpc {
namespace {

constexpr Duration kQuitTimeout = 5s;
constexpr unsigned kMostRedials = 80;  // each address of each server, with TLS and without

}  // namespace

Client::Client(ClientContext context, io::StreamPtr stream)
    : session_(std::move(context), std::move(stream)) {
  check(session_.context.smarthost.tls.mode == mail::TlsMode::none || session_.context.tls != nullptr,
        "TLS is configured and not set up");
}

Task<Result<void, Refusal>> Client::open() {
  auto opened = co_await open_session(session_);
  if (!opened) {
    wants_new_connection_ = co_await wants_another(opened.error().failure);
    co_return std::unexpected(opened.error());
  }
  session_.context.knowledge.redials = 0;
  auto logged_in = co_await log_in(session_);
  if (!logged_in) {
    wants_new_connection_ = logged_in.error().try_again_at_once;
    co_return std::unexpected(session_.refusal(std::move(logged_in.error().failure)));
  }
  is_open_ = true;
  co_return Result<void, Refusal>{};
}

Task<bool> Client::wants_another(const mail::Failure& failure) {
  ClientContext& with = session_.context;
  PeerKnowledge& knowledge = with.knowledge;
  bool another = co_await with.connector.wants_another(with.smarthost, failure, {kNever, with.cancel});
  another = another && knowledge.redials < kMostRedials;
  knowledge.redials = another ? knowledge.redials + 1 : 0;
  co_return another;
}

Task<Result<void, Refusal>> Client::rehearse(std::string sender, std::string recipient) {
  auto answer = co_await smtpc::rehearse(session_, std::move(sender), std::move(recipient));
  co_return answer;
}

Task<TransactionResult> Client::send(Consignment consignment, DotHooks hooks) {
  check(is_usable(), "a mail was sent on an unusable connection");
  auto transaction = std::exchange(next_, nullptr);
  if (!transaction) {
    transaction = std::make_unique<Transaction>(session_, std::move(consignment));
    co_await transaction->prepare();
  }
  session_.exchange.transcript().begin_mail();
  auto result = co_await transaction->run(hooks.may_leave, [&] { return commands_ahead(hooks); });
  if (session_.exchange.is_broken()) next_.reset();
  co_return result;
}

Task<std::string> Client::commands_ahead(const DotHooks& hooks) {
  if (!hooks.following || !session_.pipelines() || session_.chunks()) co_return "";
  auto following = co_await hooks.following();
  if (!following) co_return "";
  next_ = std::make_unique<Transaction>(session_, std::move(*following));
  co_await next_->prepare();
  std::string commands = next_->commands_ahead();
  session_.exchange.transcript().say_ahead(commands);
  co_return commands;
}

Task<void> Client::quit() {
  if (!session_.exchange.is_broken()) {
    [[maybe_unused]] auto reply = co_await session_.exchange.ask("QUIT", kQuitTimeout);
    [[maybe_unused]] auto closed = co_await session_.exchange.shut_down(kQuitTimeout);
  }
  is_open_ = false;
  session_.exchange.give_up();
}

Task<bool> Client::is_alive() {
  if (!is_usable()) co_return false;
  bool has_news = co_await session_.exchange.has_unread();
  co_return !has_news;
}

mail::DialoguePtr Client::dialogue_before(const mail::Failure& failure) const {
  const Transcript& transcript = session_.exchange.transcript();
  return std::make_shared<const mail::Dialogue>(
      mail::dialogue_before(failure, transcript.began(), transcript.lines()));
}

const io::TlsInfo* Client::tls() const {
  const io::Stream* stream = session_.exchange.stream();
  return stream == nullptr ? nullptr : stream->tls();
}

}  // namespace hikyaku::smtpc
