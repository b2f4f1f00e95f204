// SPDX-License-Identifier: MIT
// How a connection to a smarthost, or to one of the servers of a recipient's domain, comes to be: look-up,
// every address in turn, and never ourselves. An interface, so that tests put an in-memory server behind it.
// Sends and reads nothing on the connection.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "daemon/dns/destination.h"
#include "daemon/dns/streak.h"
#include "daemon/io/resolver.h"
#include "daemon/io/stream.h"
#include "daemon/mail/failure.h"
#include "daemon/mail/smarthost.h"
#include "smtpc/peer_memory.h"

namespace hikyaku::smtpc {

class Connector {
 public:
  virtual ~Connector() = default;
  // A plain TCP connection, whatever the smarthost's TLS mode. `smarthost` must be valid until then. The
  // failure's stage is `lookup` or `connect`. Where the MX records were looked up the stream's peer_name() is
  // the server's.
  virtual Task<Result<io::StreamPtr, mail::Failure>> dial(const mail::Smarthost& smarthost,
                                                          io::Until until) = 0;

  // A session could not be opened. Returns whether to dial again at once, because another server of the
  // domain may do better, or the same one without TLS (direct delivery alone, and only where nothing is
  // verified).
  virtual Task<bool> wants_another(const mail::Smarthost&, const mail::Failure&, io::Until) {
    co_return false;
  }
  // Whether TLS with this address, "192.0.2.1:25", has failed lately, so that mail goes in clear text where
  // that is allowed.
  virtual bool avoids_tls(const std::string&) const { return false; }
  // Whether several destinations were silent one after the other, and none answered: the network keeps the
  // port closed.
  virtual bool is_port_blocked() const { return false; }
};

// The failure that an unsuccessful look-up of MX records is. It concerns the recipient if it is permanent.
mail::Failure make_failure(const mail::Smarthost& smarthost, const dns::DestinationError& error);

// Tries a name's addresses in turn, each with the smarthost's connect timeout; the look-up has 10 s. Of a
// domain with MX records all servers, those last that failed lately.
class SystemConnector final : public Connector {
 public:
  static constexpr Duration kAvoid = 5min;            // a server that did not answer, or refused us
  static constexpr Duration kAvoidTls = 1h;           // TLS with it
  static constexpr Duration kDialDestination = 3min;  // all addresses of a domain's servers
  static constexpr std::size_t kManyDestinations = 5;

  // Whether an endpoint is one of our own listeners: mail sent there would loop.
  using IsOurs = std::function<bool(const Endpoint&)>;
  // All outlive the connector.
  SystemConnector(io::Loop& loop, io::Resolver& resolver, dns::DestinationResolver& destinations,
                  IsOurs is_ours);

  Task<Result<io::StreamPtr, mail::Failure>> dial(const mail::Smarthost& smarthost, io::Until until) override;
  Task<bool> wants_another(const mail::Smarthost& smarthost, const mail::Failure& failure,
                           io::Until until) override;
  bool avoids_tls(const std::string& address) const override;
  bool is_port_blocked() const override { return silent_.is_long(); }

 private:
  // A place to dial; the name is empty where no MX was looked up.
  struct Server {
    Endpoint at;
    std::string name;
  };
  using Servers = std::vector<Server>;
  struct Attempts;

  Task<Result<Servers, mail::Failure>> look_up(const mail::Smarthost& smarthost, io::Until until);
  Task<Result<Servers, mail::Failure>> look_up_servers(const mail::Smarthost& smarthost, io::Until until);
  Task<Result<io::StreamPtr, mail::Failure>> dial_each(const mail::Smarthost& smarthost, Servers servers,
                                                       io::Until until);
  bool is_avoided(const Server& server) const;
  void leave_out_avoided(Servers& servers);
  mail::Failure sum_up(const mail::Smarthost& smarthost, const Attempts& failed);

  io::Loop& loop_;
  io::Resolver& resolver_;
  dns::DestinationResolver& destinations_;
  IsOurs is_ours_;
  PeerMemory avoided_{kAvoid};
  PeerMemory without_tls_{kAvoidTls};
  dns::Streak silent_{kManyDestinations};
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
