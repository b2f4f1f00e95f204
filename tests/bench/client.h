// SPDX-License-Identifier: MIT
// One client of the load: hands in message after message the plain way, a command, its reply, the next
// command, as most apps do. The caller owns the epoll instance and calls advance() when the socket is
// readable. Throws std::runtime_error on any reply but the expected one: a benchmark of refusals means
// nothing. One thread.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/base/fd.h"

namespace hikyaku::bench {

// What all clients share.
struct Load {
  bool reuse_connections = false;
  std::string content;        // after the line with the number, dot-stuffed, with the final dot
  std::uint64_t domains = 0;  // dN.dest.example, N from 1 on; 0: dest.example alone
  std::uint64_t addressed = 0;
  bool is_over = false;
  std::uint64_t begun = 0;  // messages; each has its number
  std::uint64_t acknowledged = 0;
};

class Client {
 public:
  Client(Load& load, const sockaddr_in& relay, int epoll) : load_(load), relay_(relay), epoll_(epoll) {
    connect();
  }
  // Reads what has come and, where a reply is complete, answers it. False when the load is over for this
  // client.
  bool advance();

 private:
  enum class Awaits { greeting, ehlo, mail, rcpt, data, acknowledgement, goodbye };

  void connect();
  void expect(std::string_view code) const;
  bool answer();
  bool say_mail();
  bool say_rcpt();
  bool say(std::string_view text, Awaits next);

  Load& load_;
  sockaddr_in relay_;
  int epoll_;
  Fd socket_;
  Awaits awaits_ = Awaits::greeting;
  std::string reply_;
};

}  // namespace hikyaku::bench
