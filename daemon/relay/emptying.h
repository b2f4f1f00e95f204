// SPDX-License-Identifier: MIT
// Emptying the queue before the daemon goes away: a round in which everything is tried once, and how much is left
// then. What has been tried in a round and must wait is due again at the round's end, never earlier. Decides nothing
// about mail, and knows nothing of where it goes afterwards (Relay::hand_over). The loop's thread.
#pragma once

#include <functional>

#include "daemon/relay/due_mail.h"
#include "daemon/relay/routes.h"

namespace hikyaku::relay {

class Emptying {
 public:
  // All outlive the object. `is_idle`: no mail is under way.
  Emptying(io::Loop& loop, DueMail& due, Routes& routes, std::function<bool()> is_idle)
      : loop_(loop), due_(due), routes_(routes), is_idle_(std::move(is_idle)) {}

  // Everything that waits becomes due, paused smarthosts are probed, and the round begins.
  void begin_round();
  // Whether everything has been tried that can be: no mail is under way, and what is still due has no smarthost
  // that would take it within a minute.
  bool is_round_over() const;
  // What has been tried in the round is due again.
  void end_round();

 private:
  bool is_stuck(const Route& route) const;

  io::Loop& loop_;
  DueMail& due_;
  Routes& routes_;
  std::function<bool()> is_idle_;
};

}  // namespace hikyaku::relay
