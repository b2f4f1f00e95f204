// SPDX-License-Identifier: MIT
// An acceptor's surroundings, in memory and in simulated time, and a client of it from any address.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "smtpd/acceptor.h"
#include "tests/support/peers/smtpd_rig.h"

namespace hikyaku::test {

struct AcceptorRig {
  explicit AcceptorRig(std::size_t connections = 1000, std::size_t per_client = 50) {
    options.hostname = "mx.test";
    options.domain = "test";
    options.token = "t0ken";
    policy.allow = {*Network::parse("127.0.0.0/8"), *Network::parse("192.0.2.0/24")};
    policy.connections = connections;
    policy.per_client = per_client;
  }
  smtpd::AcceptorOptions acceptor_options() const {
    return {policy, std::make_shared<const smtpd::SessionOptions>(options), nullptr};
  }

  smtpd::SessionOptions options;
  smtpd::AcceptPolicy policy;
  ManualClock clock;
  io::Loop loop{clock};
  MemorySink sink{loop};
  RecordingObserver observer;
};

// Gives the acceptor a connection from there, which came in `at`; "" is the Unix socket.
inline TestClient dial(AcceptorRig& rig, smtpd::Acceptor& acceptor, const char* from,
                       std::optional<Endpoint> at = std::nullopt) {
  io::MemoryPairOptions wire;
  if (*from != '\0') wire.second_address = Endpoint::parse(from);
  io::MemoryPair pair = io::make_memory_pair(rig.loop, wire);
  acceptor.take(std::move(pair.first), at);
  return TestClient(rig.loop, std::move(pair.second));
}

// The code, and the enhanced one behind it.
inline Task<std::string> first_reply(TestClient& client) {
  std::string reply = co_await client.reply();
  co_return reply.substr(0, 9);
}

}  // namespace hikyaku::test
