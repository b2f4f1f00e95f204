// SPDX-License-Identifier: MIT
// Takes connections from listeners, turns away those that may not or cannot be served, with a reply, and runs
// a session for each of the others. A slow client holds up only its own session. Owns listeners and sessions.
// The loop's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/io/listener.h"
#include "daemon/io/nursery.h"
#include "daemon/io/tls.h"
#include "smtpd/policy.h"
#include "smtpd/session.h"

namespace hikyaku::smtpd {

// An address at which clients are served in a way of its own.
struct Door {
  Endpoint at;
  SessionOptionsPtr session;
  std::shared_ptr<io::TlsServer> implicit_tls;  // TLS before the greeting
  std::vector<Network> proxies{};               // whose connections begin with a header that names the client
};

struct AcceptorOptions {
  AcceptPolicy policy;
  SessionOptionsPtr session;                    // wherever there is no door
  std::shared_ptr<io::TlsServer> implicit_tls;  // the same, for `hikyaku sink`
  std::vector<Door> doors{};
};

// Sessions of one kind.
struct SessionCount {
  std::size_t now = 0;
  std::uint64_t begun = 0;  // since the start
};

struct AcceptorCounts {
  SessionCount over_tcp;
  SessionCount local;             // over the Unix socket
  std::uint64_t turned_away = 0;  // connections that got no session
};

class Acceptor {
 public:
  // The arguments outlive the acceptor. stop() must have returned before the acceptor is destroyed.
  Acceptor(io::Loop& loop, mail::MailSink& sink, Observer& observer, AcceptorOptions options);
  ~Acceptor();

  void listen(std::unique_ptr<io::Listener> listener);
  // One connection that was accepted elsewhere, or at an address.
  void take(io::StreamPtr stream, const std::optional<Endpoint>& at = std::nullopt);
  // For connections from here on.
  void configure(AcceptorOptions options) { options_ = std::move(options); }
  // Takes no more mail: connections are answered with 421 4.3.2, sessions end between two mails.
  void close();
  // Takes mail again.
  void open();
  std::size_t sessions() const { return counts_.over_tcp.now + counts_.local.now; }
  const AcceptorCounts& counts() const { return counts_; }

  // Accepts no more and ends idle sessions with 421 4.3.2; the others may finish until `grace` is over.
  Task<void> stop(Duration grace);

 private:
  class Place;

  Task<void> accept_all(io::Listener& listener);
  Door door_at(const std::optional<Endpoint>& at) const;
  Task<void> introduce(io::StreamPtr stream, Door door);
  void take_client(io::StreamPtr stream, Door door);
  Task<void> serve(io::StreamPtr stream, Door door, std::unique_ptr<Place> place, std::shared_ptr<Stop> stop);
  void be_ready();
  void refuse(io::StreamPtr stream, Reply reply);
  Task<void> turn_away(io::StreamPtr stream, Reply reply);
  std::size_t sessions_of(const std::string& client) const;
  void note_crowd();

  io::Loop& loop_;
  Observer& observer_;
  AcceptorOptions options_;
  mail::MailSink& sink_;
  io::Cancel ended_;  // of accepting, and of turning away
  // The newest is that of the sessions to come; the others' sessions have been told to end.
  std::vector<std::shared_ptr<Stop>> stops_;
  bool is_closed_ = false;
  std::vector<std::unique_ptr<io::Listener>> listeners_;
  AcceptorCounts counts_;
  std::size_t being_introduced_ = 0;               // connections of proxies that have not named the client
  std::size_t being_turned_away_ = 0;              // connections that are being sent the reason
  std::map<std::string, std::size_t> per_client_;  // by address, or "uid 1000"
  io::Nursery nursery_;
};

}  // namespace hikyaku::smtpd
