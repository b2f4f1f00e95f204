// SPDX-License-Identifier: MIT
// How this node comes by mail that it has not accepted itself: each round takes over the mail of nodes that have died,
// claims free mail that is due, and, where the fate of a commit was not found out, looks for mail that is owned without
// our knowing. Rounds come by a timer of their own. The loop's thread.
#pragma once

#include <functional>
#include <vector>

#include "daemon/io/nursery.h"
#include "spool/postgresql/lease.h"
#include "spool/postgresql/owned_mail.h"

namespace hikyaku::postgresql {

class Claims {
 public:
  using OnClaimed = std::function<void(const std::vector<mail::QueueEntry>&)>;
  // All outlive the object.
  Claims(io::Loop& loop, Database& database, const Lease& lease, OwnedMails& owned, LeaseOptions options)
      : loop_(loop),
        database_(database),
        lease_(lease),
        owned_(owned),
        options_(std::move(options)),
        nursery_(loop) {}

  void begin(OnClaimed on_claimed);
  Task<void> end();
  // There may be mail in the database that is ours, and that we do not know of.
  void note_doubt() { is_in_doubt_ = true; }

  // Once; begin() repeats it.
  Task<void> round();
  // Rows of a mail that has just become this node's, under that epoch. Nobody is told but the caller.
  std::vector<mail::QueueEntry> take_in(const Rows& rows, std::int64_t epoch);

 private:
  Task<void> keep();
  Task<void> take_over();
  Task<void> claim();
  Task<void> look_for_unknown();
  void adopt(const Rows& rows, std::int64_t epoch);
  Duration pause() const;

  io::Loop& loop_;
  Database& database_;
  const Lease& lease_;
  OwnedMails& owned_;
  LeaseOptions options_;
  OnClaimed on_claimed_ = [](const auto&) {};
  std::uint64_t rounds_ = 0;
  bool is_in_doubt_ = false;
  io::Cancel cancel_;
  io::Nursery nursery_;
};

}  // namespace hikyaku::postgresql
