// SPDX-License-Identifier: MIT
// What can be wrong with a smarthost's answer: what it says, and in what manner that gets out. Drawn from a
// seeded dice, so that a run can be had again. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/support/disk/sim_sectors.h"

namespace hikyaku::test {

// What is answered. `content` is amid the lines of a message, `message` the reply to its final dot or its
// BDAT LAST.
enum class Moment : std::uint8_t { greeting, ehlo, auth, mail, rcpt, data, content, message, other };

enum class Answer : std::uint8_t {
  yes,
  later,    // 4yz
  never,    // 5yz about this mail
  ours,     // a no that comes of our configuration: log-in, TLS, relaying, quota
  closing,  // 421, and hangs up
};

enum class Manner : std::uint8_t {
  // the whole reply, in the end
  whole,
  split,    // in two writes
  late,     // after a silence, of seconds or past every deadline
  dripped,  // byte by byte
  // not
  cut,      // a part of it, then hangs up
  garbled,  // something else that is no reply
  endless,  // lines for ever
  silent,   // hangs up instead
  mute,     // says nothing more, and does not hang up either
};

// Whether the whole reply gets out in the end, if there is still somebody to hear it.
constexpr bool is_reply(Manner manner) { return manner <= Manner::dripped; }

struct Reaction {
  Answer answer = Answer::yes;
  Manner manner = Manner::whole;
  bool hangs_up = false;  // after it
  bool stores = true;     // where the client does not hear it: whether the message was stored nevertheless
};

// Shares in percent; a smarthost of one seed differs from that of another in what it is prone to.
struct ChaosOdds {
  unsigned refusals = 0;  // of the answers
  unsigned mischief = 0;  // of the manners
  unsigned refused_dials = 0;
  std::uint64_t bent = 0;  // to which kinds of refusals and mischief
};

ChaosOdds some_odds(Dice& dice);
Reaction roll(const ChaosOdds& odds, Dice& dice);

// Words for an answer other than yes; 421 for `closing`, with CR LF.
std::string no_for(Moment moment, Answer answer, Dice& dice);
// Whether such words may be about one mail as well as about all of ours.
bool is_doubtful(std::string_view reply);
// No reply of SMTP, with CR LF.
std::string garbage(Dice& dice);

}  // namespace hikyaku::test
