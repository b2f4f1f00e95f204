// SPDX-License-Identifier: MIT
// A whole relay in simulated time: the real spool on a simulated disk, the real lanes and dialogue,
// smarthosts in memory. Days pass in milliseconds.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>

#include "daemon/relay/relay.h"
#include "tests/support/peers/fake_smarthost.h"
#include "tests/unit/spool/spool_fixture.h"

namespace hikyaku::test {

inline mail::Smarthost some_smarthost(const std::string& name = "main") {
  mail::Smarthost smarthost;
  smarthost.name = name;
  smarthost.host = name + ".example";
  smarthost.port = 587;
  smarthost.tls.mode = mail::TlsMode::none;
  smarthost.allow_plaintext_auth = true;
  return smarthost;
}

inline mail::Credentials some_credentials(const std::string& password = "right") {
  mail::Credentials credentials;
  credentials.user = "me@example.com";
  credentials.password = Secret(password);
  credentials.origin = "/etc/hikyaku/authinfo:1";
  return credentials;
}

struct RelayRig : spool::SpoolFixture {
  FakeConnector hosts{loop};
  config::Settings settings;
  std::vector<std::string> lines;
  std::string rates_file, proven_file;
  log::MailLog log{clock, {}, [this](LogLevel, std::string_view line) { lines.emplace_back(line); }};
  std::unique_ptr<relay::Relay> relay;
  mail::MailSink* sink = nullptr;  // what stands before the spool; null: nothing
  mail::MailSource* source = nullptr;
  smtpc::TokenSource* tokens = nullptr;  // for smarthosts with `oauth`
  mail::SharedAccounts* accounts = nullptr;

  RelayRig() {
    settings.hostname = "app1.example.com";
    settings.domain = "example.com";
    settings.smarthosts = {some_smarthost()};
    REQUIRE(start() == std::nullopt);
  }
  ~RelayRig() { stop_relay(); }

  void start_relay(Duration downtime = Duration{0}) {
    relay = std::make_unique<relay::Relay>(relay::RelayParts{.loop = loop,
                                                             .sink = sink == nullptr ? *spool : *sink,
                                                             .source = source == nullptr ? *spool : *source,
                                                             .connector = hosts,
                                                             .log = log,
                                                             .token = "token",
                                                             .proven_file = proven_file,
                                                             .rates_file = rates_file,
                                                             .tokens = tokens,
                                                             .accounts = accounts,
                                                             .jitter = [] { return 0.5; }},
                                           downtime);
    spool->set_on_arrival([this](const mail::QueueEntry& entry) { relay->arrived(entry); });
    REQUIRE(relay->configure(settings));
  }
  void reload() { REQUIRE(relay->configure(settings)); }
  void stop_relay() {
    if (!relay) return;
    loop.run(relay->stop(1s));
    loop.run(hosts.drained());
    spool->set_on_arrival([](const mail::QueueEntry&) {});
    relay.reset();
  }
  // A second of simulated time is enough for whatever is to happen at once.
  void pass(Duration time = 1s) { loop.run(passing(time)); }
  Task<void> passing(Duration time) { co_await io::sleep_until(loop, loop.within(time)); }

  mail::MailId send(std::vector<std::string> to = {"user@example.net"},
                    std::string from = "app@example.com") {
    mail::Envelope envelope;
    envelope.sender = std::move(from);
    for (std::string& address : to) envelope.recipients.push_back({std::move(address), {}, {}});
    auto id = loop.run(accepting("Subject: test\r\n\r\nbody\r\n", std::move(envelope)));
    REQUIRE(id);
    return *id;
  }
  FakeSmarthost& main() { return hosts["main"]; }
  std::size_t lines_with(const std::string& what) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(lines, [&](const std::string& line) { return line.find(what) != line.npos; }));
  }
};

}  // namespace hikyaku::test
