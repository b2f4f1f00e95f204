// SPDX-License-Identifier: MIT
// How this node comes by mail that it has not accepted itself: each round takes over the mail of nodes that have died,
// claims free mail that is due, and, where the fate of a commit was not found out, looks for mail that is owned without
// our knowing. Rounds come by a timer of their own, sooner when a free mail becomes due or another node rings, and at once
// while there is more than one round has brought. A node asks for what it can deliver, and leaves the rest to others. The loop's thread.
#pragma once

#include <optional>

#include "daemon/io/nursery.h"
#include "spool/postgresql/doorbell.h"
#include "spool/postgresql/lease.h"
#include "spool/postgresql/owned_mail.h"
#include "spool/store.h"

namespace hikyaku::postgresql {

class Claims {
 public:
  // All outlive the object.
  Claims(io::Loop& loop, Database& database, const Lease& lease, OwnedMails& owned, Doorbell& doorbell,
         LeaseOptions options)
      : loop_(loop),
        database_(database),
        lease_(lease),
        owned_(owned),
        doorbell_(doorbell),
        options_(std::move(options)),
        changed_(loop),
        nursery_(loop) {}

  void begin(spool::Claimant claimant);
  Task<void> end();
  // A mail is not this node's any more: there may be room for others.
  void note_room() {
    if (is_more_) changed_.notify();
  }
  // Another node says that there is mail.
  void note_ring() {
    is_rung_ = true;
    changed_.notify();
  }
  // There may be mail in the database that is ours, and that we do not know of.
  void note_doubt() { is_in_doubt_ = true; }

  // Once; begin() repeats it.
  Task<void> round();
  // Rows of a mail that has just become this node's, under that epoch. Nobody is told but the caller.
  std::vector<mail::QueueEntry> take_in(const Rows& rows, std::int64_t epoch);

 private:
  Task<void> keep();
  Task<bool> wait_for_turn();
  Task<void> take_over();
  Task<void> claim(std::size_t most);
  Task<void> look_for_unknown();
  void adopt(const Rows& rows, std::int64_t epoch);
  Duration some_of(Duration most) const;
  Duration pause() const;

  io::Loop& loop_;
  Database& database_;
  const Lease& lease_;
  OwnedMails& owned_;
  Doorbell& doorbell_;
  LeaseOptions options_;
  spool::Claimant claimant_;
  std::uint64_t rounds_ = 0;
  bool is_in_doubt_ = false;
  bool is_rung_ = false;
  bool is_more_ = false;              // free mail that is due, after the last round
  std::optional<Duration> next_due_;  // … and until the next one is, as of then
  io::Event changed_;
  io::Cancel cancel_;
  io::Nursery nursery_;
};

}  // namespace hikyaku::postgresql
