// SPDX-License-Identifier: MIT
// The right of this node to deliver the mail that it owns: a row in the database, renewed each third of the lease. The
// database's clock decides when others may take the mail over; this node judges itself by its own steady clock, counted
// from before a renewal was sent, so it gives up earlier than anybody can take over. A node that has been declared dead
// comes back as another one, with a new epoch: an epoch is never used twice. The loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "daemon/base/random.h"
#include "daemon/io/nursery.h"
#include "spool/postgresql/database.h"

namespace hikyaku::postgresql {

struct LeaseOptions {
  std::string node;          // the name shown for it; any number of nodes may have the same
  Duration lease = 30s;      // without a renewal for so long, the node is dead
  Duration takeover = 2min;  // and so long after that its mail is others'
  // So long before the end of the lease no final dot leaves any more: a loop turn, and the way into the socket.
  Duration margin = lease / 6;
  Jitter jitter = random_fraction;
};

class Lease {
 public:
  // The database outlives the lease. `on_new_epoch` is called after the node has lost its mail and come back.
  Lease(io::Loop& loop, Database& database, LeaseOptions options, std::function<void()> on_new_epoch)
      : loop_(loop),
        database_(database),
        options_(std::move(options)),
        on_new_epoch_(std::move(on_new_epoch)),
        nursery_(loop) {}

  // The first epoch. Renewals begin with it.
  Task<Result<void, DatabaseError>> begin();
  // Ends the renewals, gives all mail of this node to the others, at once, and leaves.
  Task<Result<void, DatabaseError>> end();

  std::int64_t epoch() const { return epoch_; }
  // Whether a final dot of a mail that is owned under `epoch` may still be sent.
  bool may_send(std::int64_t epoch) const {
    return epoch == epoch_ && loop_.now() < valid_until_ - options_.margin;
  }
  // The nodes that are alive, this one included, as the latest renewal has said.
  unsigned nodes() const { return nodes_; }
  void set_on_nodes(std::function<void()> on_nodes) { on_nodes_ = std::move(on_nodes); }
  // Called when trouble() begins or ends.
  void set_on_trouble(std::function<void()> on_trouble) { on_trouble_ = std::move(on_trouble); }
  // Why the last renewal failed; nullopt: it did not.
  const std::optional<DatabaseError>& trouble() const { return trouble_; }

 private:
  Task<Result<void, DatabaseError>> enter();
  void note_nodes(std::int64_t nodes);
  Task<void> keep();
  Task<std::optional<DatabaseError>> renew();

  io::Loop& loop_;
  Database& database_;
  LeaseOptions options_;
  std::function<void()> on_new_epoch_;
  std::function<void()> on_trouble_ = [] {};
  std::function<void()> on_nodes_ = [] {};
  std::int64_t epoch_ = 0;
  unsigned nodes_ = 1;
  Instant valid_until_{};
  std::optional<DatabaseError> trouble_;
  io::Cancel cancel_;
  io::Nursery nursery_;
};

}  // namespace hikyaku::postgresql
