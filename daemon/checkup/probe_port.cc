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

// One connection that expects TLS from the first byte, or does not.
class Visit final : private smtpc::OpeningObserver {
 public:
  Visit(const ProbeDialling& with, const std::string& host, std::uint16_t port, TlsMode mode)
      : with_(with), smarthost_(probed_smarthost(with, host, port)) {
    smarthost_.tls.mode = mode;
    smarthost_.tls.verify = false;
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
    auto opened = co_await smtpc::open_session(session);
    if (!opened) note_trouble(opened.error().failure);
    note_fault(session);
    if (finding_.opening != Opening::none) co_await say_farewell(session);
    co_return std::move(finding_);
  }

 private:
  smtpc::ClientContext context(std::shared_ptr<io::TlsClient> tls) {
    smtpc::ClientContext context = probing_context(with_, smarthost_, knowledge_, std::move(tls));
    context.observer = this;
    context.silence_before_probe = with_.times.silence;
    return context;
  }

  void greeted(const mail::Reply& greeting) override {
    finding_.greeting = greeting.lines.front();
    greeted_ = with_.loop.now();
  }
  void encrypted(const io::TlsInfo& tls) override {
    finding_.tls = tls;
    if (smarthost_.tls.mode == TlsMode::implicit) finding_.opening = Opening::implicit;
  }
  void introduced(const mail::Capabilities& offered) override {
    (finding_.tls ? finding_.in_tls : finding_.in_clear) = offered;
    if (!finding_.tls) finding_.opening = offered.starttls ? Opening::starttls : Opening::clear;
    if (finding_.round_trip == Duration{0}) finding_.round_trip = with_.loop.now() - greeted_;
  }

  // That STARTTLS is not offered is a finding.
  void note_trouble(mail::Failure failure) {
    if (finding_.opening != Opening::clear) finding_.trouble = std::move(failure);
  }

  // A certificate that a smarthost's settings would not take is the trouble.
  void note_fault(const smtpc::Session& session) {
    if (!finding_.tls || !finding_.tls->fault || finding_.trouble) return;
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

mail::Smarthost probed_smarthost(const ProbeDialling& with, const std::string& host, std::uint16_t port) {
  mail::Smarthost smarthost;
  smarthost.name = smarthost.host = host;
  smarthost.port = port;
  smarthost.tls.ca_file = with.ca_file;
  smarthost.timeout = {.connect = with.times.connect,
                       .greeting = with.times.first_byte,
                       .command = with.times.reply,
                       .data = with.times.reply};
  return smarthost;
}

smtpc::ClientContext probing_context(const ProbeDialling& with, const mail::Smarthost& smarthost,
                                     smtpc::PeerKnowledge& knowledge, std::shared_ptr<io::TlsClient> tls) {
  return {.loop = with.loop,
          .smarthost = smarthost,
          .connector = with.connector,
          .knowledge = knowledge,
          .tls = std::move(tls),
          .ehlo_name = with.ehlo_name,
          .instance_token = "",
          .cancel = with.cancel};
}

Task<void> say_farewell(smtpc::Session& session) {
  if (!session.exchange.is_broken()) [[maybe_unused]]
    auto farewell = co_await session.exchange.ask("QUIT", kFarewell);
}

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
