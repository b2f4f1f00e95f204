// SPDX-License-Identifier: MIT
// How a connection to a smarthost comes to be: look-up, every address in turn, and never ourselves. An
// interface, so that tests put an in-memory server behind it. Sends and reads nothing on the connection.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "daemon/io/resolver.h"
#include "daemon/io/stream.h"
#include "daemon/mail/failure.h"
#include "daemon/mail/smarthost.h"

namespace hikyaku::smtpc {

class Connector {
 public:
  virtual ~Connector() = default;
  // A plain TCP connection, whatever the smarthost's TLS mode. `smarthost` must be valid until then. The
  // failure's stage is `connect`.
  virtual Task<Result<io::StreamPtr, mail::Failure>> dial(const mail::Smarthost& smarthost,
                                                          io::Until until) = 0;
};

// Tries the name's addresses in turn, each with the smarthost's connect timeout; the look-up has 10 s.
class SystemConnector final : public Connector {
 public:
  // Whether an endpoint is one of our own listeners: mail sent there would loop.
  using IsOurs = std::function<bool(const Endpoint&)>;
  // `loop` and `resolver` outlive the connector.
  SystemConnector(io::Loop& loop, io::Resolver& resolver, IsOurs is_ours);

  Task<Result<io::StreamPtr, mail::Failure>> dial(const mail::Smarthost& smarthost, io::Until until) override;

 private:
  Task<Result<std::vector<IpAddress>, mail::Failure>> look_up(const mail::Smarthost& smarthost,
                                                              io::Until until);

  io::Loop& loop_;
  io::Resolver& resolver_;
  IsOurs is_ours_;
};

// One address that could not be connected to.
struct Attempt {
  Endpoint to;
  IoError error;
};
// The attempt to report when no address answered: a refusal says more than silence, silence more than a
// family that this machine has no route for; among equals the first. `attempts` must not be empty.
const Attempt& most_telling(const std::vector<Attempt>& attempts);

}  // namespace hikyaku::smtpc
