// SPDX-License-Identifier: MIT
// PostgreSQL as a Database: where it is, and one connection to it, made when it is first needed and made anew when it
// has failed. Callers wait their turn. While the server cannot be reached most calls fail at once, so that nobody waits
// for one try each. The loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/io/resolver.h"
#include "spool/postgresql/connection.h"

namespace hikyaku::postgresql {

// A postgresql:// URL with libpq's own parameters, several hosts included. Never holds a password: those come from
// $PGPASSFILE, ~/.pgpass, or the service's credential `pgpass`. Names are looked up by us, since libpq's look-up would
// hold up the loop.
class Address {
 public:
  // Fails with what is wrong with the URL, in words that do not repeat it; also where libpq is not there.
  static Result<Address, std::string> parse(const std::string& url);

  // "postgresql://mail@db.example.net/mail": who and where, for people.
  std::string shown() const;
  // With an address beside each host; a host that has several stands there as often. Fails where no host has one.
  // The list begins with the `first`.
  Task<Result<Keywords, std::string>> resolved(io::Resolver& resolver, io::Until until,
                                               std::size_t first = 0) const;

 private:
  explicit Address(Keywords keywords) : keywords_(std::move(keywords)) {}
  std::string value_of(std::string_view keyword) const;

  Keywords keywords_;
};

struct LinkOptions {
  Duration answer = 30s;              // how long a transaction may take, and how long a connection
  Duration statement_timeout = 120s;  // after which the server gives a statement up
};

class Link final : public Bell {
 public:
  // All outlive the link. close() has returned, or nothing runs, when it is destroyed.
  Link(io::Loop& loop, const Libpq& pq, const Address& address, io::Resolver& resolver, LinkOptions options)
      : loop_(loop), pq_(pq), address_(address), resolver_(resolver), options_(options), free_(loop) {}

  Task<Result<Results, DatabaseError>> run(Statements statements) override;
  void set_on_ring(std::function<void()> on_ring) override;

 private:
  Task<Result<Results, DatabaseError>> run_now(const Statements& statements);
  Task<Result<void, DatabaseError>> connect();
  Task<Result<void, DatabaseError>> connect_anew(io::Until until);

  io::Loop& loop_;
  const Libpq& pq_;
  const Address& address_;
  io::Resolver& resolver_;
  LinkOptions options_;
  bool is_busy_ = false;
  io::Event free_;
  std::unique_ptr<Connection> connection_;
  std::function<void()> on_ring_;
  std::optional<DatabaseError> trouble_;  // of the last try to connect
  Instant next_try_{};
  // After each try that failed it is another one's turn: libpq asks the hosts in their order, and waits for one that is silent.
  std::size_t first_host_ = 0;
};

}  // namespace hikyaku::postgresql
