// SPDX-License-Identifier: MIT
// How nodes tell each other that there is mail to claim: NOTIFY on a connection of its own, never in a transaction that
// accepts or ends mail, since its commit takes a lock of the whole database; at most ten times a second. Nothing depends
// on a ring: whoever misses it finds the mail with its next round. The loop's thread.
#pragma once

#include <functional>

#include "daemon/io/nursery.h"
#include "spool/postgresql/database.h"

namespace hikyaku::postgresql {

// One for a node; everything it does goes over `bell`, which nothing else uses.
class Doorbell {
 public:
  // Both outlive the doorbell.
  Doorbell(io::Loop& loop, Bell& bell) : loop_(loop), bell_(bell), nursery_(loop) {}

  // `on_ring` is called when another node rings, from now on, and again soon after the connection was lost; never for a
  // ring of this node's own. It may be called from a libuv callback, so it wakes but does not resume. Once.
  void begin(std::function<void()> on_ring);
  // Tells the others, in a moment: rings that are asked for before that are one. Does not suspend.
  void ring();
  // Listens no more. Returns when what was to be rung has been, or cannot be.
  Task<void> end();

 private:
  Task<void> listen();
  Task<void> ring_soon();

  io::Loop& loop_;
  Bell& bell_;
  Instant next_{};  // the earliest time of the next ring
  bool is_about_to_ring_ = false;
  io::Cancel cancel_;
  io::Nursery nursery_;
};

}  // namespace hikyaku::postgresql
