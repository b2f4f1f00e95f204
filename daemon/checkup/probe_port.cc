// SPDX-License-Identifier: MIT
#include "daemon/checkup/probe_port.h"

#include <utility>

#include "smtpc/opening.h"
#include "smtpc/session.h"

namespace hikyaku::checkup {
namespace {

using mail::FailureKind;
using mail::Stage;
using mail::TlsMode;

constexpr std::uint16_t kImplicitPort = 465;
constexpr Duration kFarewell = 2s;

mail::Smarthost smarthost_at(const ProbeDialling& with, const std::string& host, std::uint16_t port) {
  mail::Smarthost smarthost;
  smarthost.name = smarthost.host = host;
  smarthost.port = port;
  smarthost.tls.verify = false;
  smarthost.tls.ca_file = with.ca_file;
  smarthost.timeout = {.connect = with.times.connect,
                       .greeting = with.times.first_byte,
                       .command = with.times.reply,
                       .data = with.times.reply};
  return smarthost;
}

// One connection that expects TLS from the first byte, or does not.
class Visit {
 public:
  Visit(const ProbeDialling& with, const std::string& host, std::uint16_t port, TlsMode mode)
      : with_(with), smarthost_(smarthost_at(with, host, port)) {
    smarthost_.tls.mode = mode;
    finding_.port = port;
  }

  Task<PortFinding> pay() {
    auto tls = smtpc::make_tls_client(smarthost_, true);
    if (!tls) co_return failed(mail::make_failure(smarthost_, Stage::tls, tls.error()));
    auto stream =
        co_await with_.connector.dial(smarthost_, with_.loop.within(with_.times.dial, with_.cancel));
    if (!stream) co_return failed(std::move(stream.error()));
    smtpc::Session session(context(std::move(*tls)), std::move(*stream));
    finding_.address = session.address;
    co_await talk(session);
    note_encryption(session);
    if (finding_.opening != Opening::none && !session.exchange.is_broken()) [[maybe_unused]]
      auto farewell = co_await session.exchange.ask("QUIT", kFarewell);
    co_return std::move(finding_);
  }

 private:
  smtpc::ClientContext context(std::shared_ptr<io::TlsClient> tls) {
    return {.loop = with_.loop,
            .smarthost = smarthost_,
            .connector = with_.connector,
            .knowledge = knowledge_,
            .tls = std::move(tls),
            .ehlo_name = with_.ehlo_name,
            .instance_token = "",
            .cancel = with_.cancel,
            .on_greeting = [this](const mail::Reply& greeting) { note_greeting(greeting); },
            .silence_before_probe = with_.times.silence};
  }

  void note_greeting(const mail::Reply& greeting) {
    finding_.greeting = greeting.lines.front();
    greeted_ = with_.loop.now();
  }

  Task<void> talk(smtpc::Session& session) {
    if (smarthost_.tls.mode == TlsMode::implicit) {
      auto opened = co_await smtpc::open_session(session);
      if (session.is_encrypted()) finding_.opening = Opening::implicit;
      note(session, opened, finding_.in_tls);
    } else {
      co_await talk_in_clear(session);
    }
  }

  Task<void> talk_in_clear(smtpc::Session& session) {
    smarthost_.tls.mode = TlsMode::none;
    auto opened = co_await smtpc::open_session(session);
    if (opened) finding_.opening = session.capabilities.starttls ? Opening::starttls : Opening::clear;
    note(session, opened, finding_.in_clear);
    if (finding_.opening != Opening::starttls) co_return;
    smarthost_.tls.mode = TlsMode::starttls;
    auto encrypted = co_await smtpc::start_tls(session);
    note(session, encrypted, finding_.in_tls);
  }

  void note(const smtpc::Session& session, const Result<void, smtpc::Refusal>& step,
            mail::Capabilities& offered) {
    if (!step) finding_.trouble = step.error().failure;
    if (!step) return;
    offered = session.capabilities;
    if (finding_.round_trip == Duration{0}) finding_.round_trip = with_.loop.now() - greeted_;
  }

  // A certificate that a smarthost's settings would not take is the trouble.
  void note_encryption(const smtpc::Session& session) {
    if (!session.is_encrypted()) return;
    finding_.tls = *session.exchange.stream()->tls();
    if (!finding_.tls->fault || finding_.trouble) return;
    const IoError fault(*finding_.tls->fault, finding_.tls->verdict, finding_.tls->certificate);
    finding_.trouble = session.failure(Stage::tls, fault);
  }

  PortFinding failed(mail::Failure failure) {
    finding_.address = failure.address;
    finding_.trouble = std::move(failure);
    return std::move(finding_);
  }

  const ProbeDialling& with_;
  mail::Smarthost smarthost_;
  smtpc::PeerKnowledge knowledge_;
  PortFinding finding_;
  Instant greeted_{};
};

Task<PortFinding> visit(const ProbeDialling& with, const std::string& host, std::uint16_t port,
                        TlsMode mode) {
  Visit one(with, host, port, mode);
  auto finding = co_await one.pay();
  co_return finding;
}

bool has_failed_with(const PortFinding& finding, FailureKind kind) {
  return finding.opening == Opening::none && finding.trouble && finding.trouble->kind == kind;
}

}  // namespace

std::string_view to_text(Opening opening) {
  switch (opening) {
    case Opening::none: return "none";
    case Opening::implicit: return "implicit";
    case Opening::starttls: return "starttls";
    case Opening::clear: break;
  }
  return "clear";
}

// The port's number says only what is tried first.
Task<PortFinding> probe_port(ProbeDialling with, std::string host, std::uint16_t port) {
  if (port != kImplicitPort) {
    auto finding = co_await visit(with, host, port, TlsMode::starttls);
    if (!has_failed_with(finding, FailureKind::tls_from_first_byte)) co_return finding;
    auto again = co_await visit(with, host, port, TlsMode::implicit);
    co_return again;
  }
  auto finding = co_await visit(with, host, port, TlsMode::implicit);
  // Some servers hang up on what is no SMTP.
  if (!has_failed_with(finding, FailureKind::plain_on_implicit) &&
      !has_failed_with(finding, FailureKind::closed_early))
    co_return finding;
  auto again = co_await visit(with, host, port, TlsMode::starttls);
  co_return again.opening == Opening::none ? finding : again;
}

}  // namespace hikyaku::checkup
