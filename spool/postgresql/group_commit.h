// SPDX-License-Identifier: MIT
// A Database in front of another, for many callers at a time: whatever waits goes out as one transaction, while the
// next one gathers. For what is written that is group commit; what is read saves as many round trips. A transaction
// whose fate is not known, since the connection broke, is run again once there is a connection: every statement is
// made so that this changes nothing where the first has been committed. If the server refuses a statement, each
// request of the group is tried by itself, so that one bad apple spoils no others. The loop's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "daemon/io/nursery.h"
#include "spool/options.h"
#include "spool/postgresql/database.h"

namespace hikyaku::postgresql {

// For how long statements are run again after an answer that was lost, and perhaps after none could be asked for.
struct Patience {
  Duration time{};
  bool also_unreachable = true;
};

// Runs statements that change nothing when they are run again, until it is known what has become of them. Fails with
// `lost` if that could not be found out; otherwise nothing was done.
Task<Result<Results, DatabaseError>> insist(io::Loop& loop, Database& database, Statements statements,
                                            Patience patience);

class GroupCommit final : public Database {
 public:
  // `patience`: for how long a group is tried again while the database is away.
  GroupCommit(io::Loop& loop, Database& database, Duration patience)
      : loop_(loop),
        database_(database),
        patience_(patience),
        idle_(loop),
        is_complete_(loop),
        nursery_(loop) {}

  // Returns when the statements are committed, or are not: `lost` if that could not be found out in time. Their
  // results are those of the last run.
  Task<Result<Results, DatabaseError>> run(Statements statements) override;
  // Returns when nothing is under way.
  Task<void> drained();

  const spool::SpoolCounters& counters() const { return counters_; }

 private:
  struct Request {
    Request(io::Loop& loop, Statements what) : statements(std::move(what)), waiter(loop) {}
    Statements statements;
    std::optional<Result<Results, DatabaseError>> outcome{};
    io::Waiter waiter;
  };
  using Group = std::vector<Request*>;

  Task<void> work();
  Task<void> gather(std::size_t released);
  Group take();
  Task<void> commit(Group group);
  Task<Result<Results, DatabaseError>> insist_timed(Statements statements);
  void hand_back(const Group& group, Result<Results, DatabaseError> results);

  io::Loop& loop_;
  Database& database_;
  Duration patience_;
  std::deque<Request*> waiting_;
  bool is_running_ = false;
  io::Event idle_;
  std::size_t expected_ = 0;  // in the next group
  io::Event is_complete_;
  spool::SpoolCounters counters_;
  io::Nursery nursery_;
};

}  // namespace hikyaku::postgresql
