// SPDX-License-Identifier: MIT
#include "tests/chaos/rig.h"

#include <algorithm>
#include <utility>

namespace hikyaku::test {

mail::Smarthost chaotic_smarthost() {
  mail::Smarthost smarthost;
  smarthost.name = "chaos";
  smarthost.host = "chaos.example";
  smarthost.port = 25;
  smarthost.tls.mode = mail::TlsMode::none;
  smarthost.allow_plaintext_auth = true;
  return smarthost;
}

mail::Credentials some_credentials() {
  mail::Credentials credentials;
  credentials.user = "me@example.com";
  credentials.password = Secret("right");
  return credentials;
}

std::function<std::optional<Reaction>(Moment, const std::string&, const std::string&)> always(
    Moment at, Reaction reaction) {
  return [=](Moment moment, const std::string&, const std::string&) -> std::optional<Reaction> {
    if (moment != at) return std::nullopt;
    return reaction;
  };
}

class ChaosConnector::Counted final : public io::Stream {
 public:
  Counted(io::StreamPtr stream, unsigned& open) : stream_(std::move(stream)), open_(open) { ++open_; }
  ~Counted() override { --open_; }
  Task<Result<std::size_t, IoError>> read_some(std::span<char> into, io::Until until) override {
    return stream_->read_some(into, until);
  }
  Task<Result<void, IoError>> write(std::string_view bytes, io::Until until) override {
    return stream_->write(bytes, until);
  }
  Task<Result<void, IoError>> shut_down(io::Until until) override { return stream_->shut_down(until); }
  std::optional<Endpoint> peer() const override { return stream_->peer(); }
  std::optional<Endpoint> local() const override { return stream_->local(); }

 private:
  io::StreamPtr stream_;
  unsigned& open_;
};

Task<Result<io::StreamPtr, mail::Failure>> ChaosConnector::dial(const mail::Smarthost& smarthost, io::Until) {
  auto stream = host_.connect();
  if (!stream)
    co_return std::unexpected(mail::make_failure(smarthost, mail::Stage::connect,
                                                 IoError{IoErrorKind::refused, "connection refused"}));
  auto counted = std::make_unique<Counted>(std::move(stream), open_);
  most_open_ = std::max(most_open_, open_);
  co_return counted;
}

ChaosRig::ChaosRig(std::uint64_t seed) : dice(seed), host(loop, dice.next()) {
  settings.hostname = "app1.example.com";
  settings.domain = "example.com";
  settings.smarthosts = {chaotic_smarthost()};
  REQUIRE(start() == std::nullopt);
}

ChaosRig::~ChaosRig() {
  if (relay) stop_relay(1s);
  loop.run(host.drained());
}

void ChaosRig::start_relay() {
  auto jitter = [this] { return static_cast<double>(dice.below(1000)) / 1000; };
  source = std::make_unique<SlowSource>(loop, *spool, dice);
  source->percent = slowness_;
  relay = std::make_unique<relay::Relay>(relay::RelayParts{.loop = loop,
                                                           .sink = *spool,
                                                           .source = *source,
                                                           .connector = connector,
                                                           .log = log,
                                                           .token = "token",
                                                           .proven_file = "",
                                                           .rates_file = "",
                                                           .jitter = jitter},
                                         spool->downtime());
  spool->set_on_arrival([this](const mail::QueueEntry& entry) { relay->arrived(entry); });
  reload();
}

void ChaosRig::stop_relay(Duration grace) {
  loop.run(relay->stop(grace));
  spool->set_on_arrival([](const mail::QueueEntry&) {});
  relay.reset();
  source.reset();
}

void ChaosRig::restart_all(Duration grace) {
  stop_relay(grace);
  restart();
  start_relay();
}

void ChaosRig::set_slowness(unsigned percent) {
  slowness_ = percent;
  if (source) source->percent = percent;
}

SentMail ChaosRig::send(std::string sender, std::vector<std::string> recipients, std::string content) {
  SentMail mail{{}, std::move(sender), std::move(recipients), std::move(content), loop.now()};
  mail::Envelope envelope;
  envelope.sender = mail.sender;
  for (const std::string& address : mail.recipients) envelope.recipients.push_back({address, {}, {}});
  auto id = loop.run(accepting(mail.content, std::move(envelope)));
  REQUIRE(id);
  mail.id = *id;
  return mail;
}

SentMail ChaosRig::prove() {
  SentMail mail = send("first@example.com", {"first@example.net"});
  pass(1s);
  REQUIRE(host.ledger().told("first@example.com", "first@example.net") == Told::yes);
  return mail;
}

std::size_t ChaosRig::lines_with(std::string_view what) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(lines, [&](const std::string& line) { return line.find(what) != line.npos; }));
}

}  // namespace hikyaku::test
