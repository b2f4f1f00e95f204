// SPDX-License-Identifier: MIT
// An SMTP server in memory that does everything wrong that a server can do wrong, as a seeded dice has it:
// drops, stalls, drips, garbage, floods, split and merged replies, refusals at every command, closing before
// and after storing. Its ledger knows what was really stored and said. Set `odds` to {} and it behaves. Lives
// until drained() has returned; one thread, the loop's.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "daemon/io/memory_stream.h"
#include "daemon/io/nursery.h"
#include "tests/support/chaos/ledger.h"
#include "tests/support/chaos/mischief.h"

namespace hikyaku::test {

// What it does with commands that arrive behind the one that it reads. It offers PIPELINING nevertheless.
enum class OnGroup : std::uint8_t { takes, hangs_up, forgets };

// What one of its connections offers.
struct ChaosOffer {
  bool ehlo = true;
  bool pipelining = true;
  bool chunking = false;
  bool size = true;
  bool dsn = false;
  bool eight_bit_mime = true;
};

class ChaosSmarthost {
 public:
  ChaosSmarthost(io::Loop& loop, std::uint64_t seed);

  ChaosOdds odds;
  ChaosOffer offer;
  bool varies_offer = false;  // each connection another one
  OnGroup on_group = OnGroup::takes;
  bool wants_login = false;
  Duration patience = 5min;  // with a silent client
  // Decides before the dice, for tests of one thing: nothing leaves it to them. `sender` and `recipient` are
  // those of the command; the recipient is empty but for RCPT.
  std::function<std::optional<Reaction>(Moment moment, const std::string& sender,
                                        const std::string& recipient)>
      whim = [](Moment, const std::string&, const std::string&) { return std::nullopt; };
  // Of a dial; also by the odds.
  bool is_down = false;

  // The client's end of a new connection; nothing: it was refused.
  io::StreamPtr connect();
  Task<void> drained() { co_await nursery_.drained({}); }

  ChaosLedger& ledger() { return ledger_; }
  unsigned dials() const { return dials_; }
  std::size_t most_endless_bytes() const { return most_endless_bytes_; }  // that a client took of one reply

 private:
  friend class ChaosSession;
  Task<void> serve(io::StreamPtr stream, std::uint64_t seed);
  Reaction react(Moment moment, const std::string& sender, const std::string& recipient, Dice& dice);

  io::Loop& loop_;
  Dice dice_;
  ChaosLedger ledger_;
  unsigned dials_ = 0;
  std::size_t most_endless_bytes_ = 0;
  io::Nursery nursery_;
};

}  // namespace hikyaku::test
