// SPDX-License-Identifier: MIT
// What the connections to one smarthost learn about it and share. Owned by the lane, one thread; made anew
// when the configuration or the credentials change.
#pragma once

#include <set>
#include <string>

namespace hikyaku::smtpc {

// Which mechanism works with the credentials. While none has ever worked, one after the other is tried, in
// one connection or over several (some servers hang up after a refusal); once all were refused, each
// connection makes one log-in with one mechanism, taking turns.
struct LoginMemory {
  std::string worked;             // the one that logged in last; empty: none ever has
  std::set<std::string> refused;  // since then; not tried again in this round
  bool none_works = false;        // each one was refused
  std::size_t turn = 0;           // whose turn it is then
};

struct PeerMemory {
  LoginMemory login;
  bool plain_dialogue = false;  // it cannot bear pipelining
  unsigned hang_ups = 0;        // in a row, with no word to commands that had travelled with a final dot

  // Once may be chance. When it happens again, and never does a mail come through this way, it is what has
  // travelled along that the peer cannot bear.
  void note_hang_up() {
    if (++hang_ups >= 2) plain_dialogue = true;
  }
};

}  // namespace hikyaku::smtpc
