// SPDX-License-Identifier: MIT
// A whole relay in simulated time against one chaotic smarthost: the real spool on a simulated disk, the real
// queue runner, lane, bouncer and dialogue.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/relay/relay.h"
#include "tests/chaos/slow_source.h"
#include "tests/support/chaos/smarthost.h"
#include "tests/unit/spool/spool_fixture.h"

namespace hikyaku::test {

// Counts what the client has open; the smarthost's sessions may sleep on after it has gone.
class ChaosConnector final : public smtpc::Connector {
 public:
  explicit ChaosConnector(ChaosSmarthost& host) : host_(host) {}
  Task<Result<io::StreamPtr, mail::Failure>> dial(const mail::Smarthost& smarthost, io::Until until) override;
  unsigned most_open() const { return most_open_; }

 private:
  class Counted;
  ChaosSmarthost& host_;
  unsigned open_ = 0;
  unsigned most_open_ = 0;
};

// In clear text, at port 25: where nobody looks for TLS with a connection of its own.
mail::Smarthost chaotic_smarthost();
mail::Credentials some_credentials();
// A whim: at one moment the same for everybody, at others as it should be by the odds.
std::function<std::optional<Reaction>(Moment, const std::string&, const std::string&)> always(
    Moment at, Reaction reaction);

// A mail that the relay has accepted.
struct SentMail {
  mail::MailId id;
  std::string sender;
  std::vector<std::string> recipients;
  std::string content;
  Instant at;
};

struct ChaosRig : spool::SpoolFixture {
  explicit ChaosRig(std::uint64_t seed);
  ~ChaosRig();

  void start_relay();
  void reload() { REQUIRE(relay->configure(settings)); }
  // What is under way gets `grace`.
  void stop_relay(Duration grace);
  void restart_all(Duration grace);
  void pass(Duration time) { loop.run(passing(time)); }
  SentMail send(std::string sender, std::vector<std::string> recipients,
                std::string content = "Subject: test\r\n\r\nbody\r\n");
  // Of what is asked of the spool, from now on.
  void set_slowness(unsigned percent);
  // Mail of a sender that everybody accepts, until the smarthost counts as proven.
  SentMail prove();
  std::size_t lines_with(std::string_view what) const;

  Dice dice;
  ChaosSmarthost host;
  ChaosConnector connector{host};
  config::Settings settings;
  std::vector<std::string> lines;
  log::MailLog log{clock, {}, [this](LogLevel, std::string_view line) { lines.emplace_back(line); }};
  std::unique_ptr<SlowSource> source;  // the spool, as the relay sees it
  std::unique_ptr<relay::Relay> relay;

 private:
  unsigned slowness_ = 0;
  Task<void> passing(Duration time) { co_await io::sleep_until(loop, loop.within(time)); }
};

}  // namespace hikyaku::test
