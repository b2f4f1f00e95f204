// SPDX-License-Identifier: MIT
// One connection to PostgreSQL on the event loop: libpq in its non-blocking pipeline mode, statements prepared when they
// are first used, everything in binary form. Several statements and one Sync are one transaction. Whoever runs one waits
// until the last one's results are there; a connection that has failed is done for. One that listens (kListen) is read
// while it is idle, too. The loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daemon/io/loop.h"
#include "daemon/io/socket_watch.h"
#include "spool/postgresql/database.h"
#include "spool/postgresql/libpq.h"

namespace hikyaku::postgresql {

// libpq's keywords with their values, in no order.
using Keywords = std::vector<std::pair<std::string, std::string>>;

class Connection {
 public:
  static Task<Result<std::unique_ptr<Connection>, DatabaseError>> open(io::Loop& loop, const Libpq& pq,
                                                                       Keywords keywords, io::Until until);
  Connection(const Connection&) = delete;

  // One at a time. After unreachable or lost, or when `until` has passed (lost), the connection is of no more use.
  Task<Result<Results, DatabaseError>> run(const Statements& statements, io::Until until);

  // Called when another session has rung, if this one listens; from a libuv callback, too.
  void set_on_ring(std::function<void()> on_ring) { on_ring_ = std::move(on_ring); }
  // It has ended while it was idle, as far as that has been seen.
  bool is_broken() const { return is_broken_; }

 private:
  class Exchange;

  Connection(io::Loop& loop, const Libpq& pq, Connected connected);
  Task<Result<void, DatabaseError>> establish(io::Until until);
  bool send(const Statements& statements, Exchange& exchange);
  Task<Result<void, DatabaseError>> receive(Exchange& exchange, io::Until until);
  Task<bool> ready(bool reading, bool writing, io::Until until);
  void watch_socket();
  void read_while_idle();
  void hear_rings();
  DatabaseError failure(DatabaseErrorKind kind) const;

  const Libpq& pq_;
  io::Loop& loop_;
  Connected connected_;
  std::unique_ptr<io::SocketWatch> watch_;  // goes before the socket
  io::Event changed_;
  bool is_ready_ = false;
  std::function<void()> on_ring_;  // empty: nobody listens
  bool is_idle_ = false;           // … but reads
  bool is_broken_ = false;
  std::set<const Query*> prepared_;
};

}  // namespace hikyaku::postgresql
