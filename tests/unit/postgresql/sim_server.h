// SPDX-License-Identifier: MIT
// A database in virtual time, for any number of nodes: what each statement of a shared spool does to the tables, at once
// and as a whole; and between a node and it a wire that takes its time, can be cut, and loses answers.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "daemon/io/loop.h"
#include "spool/postgresql/database.h"

namespace hikyaku::test {

// What a statement says so that nobody touches mail that is another's, and none is forgotten; a mutant leaves one out.
// database_cases.cc does that to the real ones.
enum class Clause {
  none,
  owner_in_finish,
  owner_in_record,
  owner_in_notice,
  delay_in_take_over,
  rows_of_owned,  // … after a commit whose fate was not found out
};

class SimDatabase;

class SimServer {
 public:
  explicit SimServer(io::Loop& loop) : loop_(loop) {}

  struct Mail {
    std::int64_t owner = 0;  // 0: free
    Instant due, recorded;
    Duration planned{0};
    std::int64_t state = 0;
    bool held = false;
    std::int64_t size = 0, pieces = 0, checksum = 0;
    postgresql::Value envelope, progress, content;
  };
  struct Piece {
    std::int64_t writer = 0, checksum = 0;
    std::string bytes;
  };

  postgresql::Results apply(const postgresql::Statements& statements);
  // Whether the mail is there, and its owner's lease is not over.
  bool has_living_owner(mail::MailId id) const;

  std::map<std::int64_t, Mail> mails;
  std::map<std::pair<std::int64_t, std::int64_t>, Piece> pieces;
  std::map<std::int64_t, Instant> nodes;                                 // alive until
  std::map<std::string, std::pair<std::int64_t, std::string>> accounts;  // version and state
  std::map<std::int64_t, std::vector<std::int64_t>> notices;  // ever stored, by the mail that they are about
  std::set<std::int64_t> files;
  std::set<SimDatabase*> listeners;
  int rings = 0, claims = 0;  // so far
  std::int64_t checksum_key = 4711;
  Clause left_out = Clause::none;

 private:
  using Values = std::vector<postgresql::Value>;
  postgresql::Rows apply(const postgresql::Statement& statement);
  postgresql::Rows of_nodes(const postgresql::Query* query, const Values& values);
  postgresql::Rows of_accounts(const postgresql::Query* query, const Values& values);
  postgresql::Rows of_bodies(const postgresql::Query* query, const Values& values);
  postgresql::Rows accept(const Values& values);
  postgresql::Rows accept_notice(const Values& values);
  postgresql::Rows of_files(const postgresql::Query* query, const Values& values);
  postgresql::Rows claim(const Values& values);
  postgresql::Value next_due() const;
  postgresql::Rows take_over(const Values& values);
  std::int64_t live_nodes() const;
  std::int64_t free_all(const std::set<std::int64_t>& owners, Instant due);
  Mail* owned(const Values& values, std::optional<Clause> clause = std::nullopt);
  void put(const Values& values, postgresql::Value progress);
  void add_found(postgresql::Rows& rows, std::int64_t id, const Mail& mail) const;

  io::Loop& loop_;
  std::int64_t next_ids_ = 1024, next_epoch_ = 1;
};

// The wire of one node; all of its connections are up or down together.
struct SimWire {
  bool is_cut = false;  // nothing goes through, in either direction
  // Of so many transactions from now on. The last is done all the same, the one before it not, and so on by turns.
  int lose_answers = 0;
  bool believes_lost = false;  // a mutant: mail whose COMMIT is lost counts as stored
  bool loses_rings = false;
  std::function<bool(const postgresql::Statement&)> refuses = [](const auto&) { return false; };
  std::function<Duration()> delay = [] { return 1ms; };  // each way
};

class SimDatabase final : public postgresql::Bell {
 public:
  SimDatabase(io::Loop& loop, SimServer& server, SimWire& wire) : loop_(loop), server_(server), wire_(wire) {}
  ~SimDatabase() override { server_.listeners.erase(this); }
  Task<Result<postgresql::Results, postgresql::DatabaseError>> run(
      postgresql::Statements statements) override;
  void set_on_ring(std::function<void()> on_ring) override { on_ring_ = std::move(on_ring); }
  void ring() const { on_ring_(); }

 private:
  void tell_listeners(const postgresql::Statements& statements);

  std::function<void()> on_ring_ = [] {};
  io::Loop& loop_;
  SimServer& server_;
  SimWire& wire_;
};

}  // namespace hikyaku::test
