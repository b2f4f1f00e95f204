// SPDX-License-Identifier: MIT
#include "tests/support/chaos/mischief.h"

#include <algorithm>
#include <span>

#include "daemon/base/text.h"

namespace hikyaku::test {
namespace {

constexpr Answer kNo[] = {Answer::later, Answer::never, Answer::ours, Answer::closing};
constexpr Manner kMischief[] = {Manner::late,    Manner::dripped, Manner::cut, Manner::garbled,
                                Manner::endless, Manner::silent,  Manner::mute};

// One of `all`, at half of the throws the one that the seed is prone to.
template <class T, std::size_t size>
T one_of(const T (&all)[size], std::uint64_t bent, Dice& dice) {
  return all[dice.chance(50) ? bent % size : dice.below(size)];
}

std::string_view any(std::span<const std::string_view> texts, Dice& dice) {
  return texts[dice.below(texts.size())];
}

constexpr std::string_view kLater[] = {"451 4.3.0 Temporary lookup failure", "450 4.2.0 Greylisted",
                                       "452 4.3.1 Insufficient system storage", "451 Local error",
                                       "450-4.7.1 Slow down\r\n450 4.7.1 please"};
constexpr std::string_view kBadSender[] = {"550 5.1.8 Sender address rejected: Domain not found",
                                           "553 5.1.7 Sender syntax", "552 5.3.4 Message too big"};
constexpr std::string_view kBadRecipient[] = {
    "550 5.1.1 User unknown", "550-5.2.1 The account\r\n550 5.2.1 is off", "552 5.2.2 Mailbox full"};
constexpr std::string_view kBadMessage[] = {"554 5.6.0 Content", "550 5.7.1 Spam", "552 5.3.4 Too big"};
constexpr std::string_view kClosing[] = {"421 4.3.2 Shutting down", "421 Too many connections",
                                         "421-4.4.2 Idle\r\n421 4.4.2 for too long"};
constexpr std::string_view kOursAtLogin[] = {"535 5.7.8 Authentication failed", "454 4.7.0 Not now",
                                             "534 5.7.9 Application-specific password required"};
constexpr std::string_view kOurs[] = {"530 5.7.0 Authentication required", "503 5.5.1 Send AUTH first",
                                      "550 5.4.5 Daily user sending limit exceeded",
                                      "550 5.7.30 Basic authentication is not supported"};
constexpr std::string_view kDoubtful[] = {"554 5.3.2 System off", "550 5.7.0 Rejected as spam",
                                          "550 5.2.0 Sending quota exceeded"};
constexpr std::string_view kGreetings[] = {"554 5.7.1 Not you", "554 No SMTP service here"};
constexpr std::string_view kGarbage[] = {
    "abc",          "25",     "2500 ok", "999 x",           "250-a\r\n550 b", "",
    "\x16\x03\x01", "<html>", "-250 ok", "250\t5.1.1 tabs", "\xff\xfe 250 ok"};

std::string_view never_words(Moment moment, Dice& dice) {
  switch (moment) {
    case Moment::greeting: return any(kGreetings, dice);
    case Moment::mail: return any(kBadSender, dice);
    case Moment::rcpt: return any(kBadRecipient, dice);
    case Moment::auth: return any(kOursAtLogin, dice);
    case Moment::ehlo:
    case Moment::other: return "502 5.5.1 Not here";
    case Moment::data:
    case Moment::content:
    case Moment::message: return any(kBadMessage, dice);
  }
  return "";
}

std::string_view ours_words(Moment moment, Dice& dice) {
  if (moment == Moment::greeting || moment == Moment::ehlo) return any(kGreetings, dice);
  if (moment == Moment::auth) return any(kOursAtLogin, dice);
  return dice.chance(40) ? any(kDoubtful, dice) : any(kOurs, dice);
}

}  // namespace

ChaosOdds some_odds(Dice& dice) {
  ChaosOdds odds;
  odds.refusals = static_cast<unsigned>(dice.below(20));
  odds.mischief = static_cast<unsigned>(dice.below(15));
  odds.refused_dials = dice.chance(50) ? 0 : static_cast<unsigned>(dice.below(30));
  odds.bent = dice.next();
  return odds;
}

Reaction roll(const ChaosOdds& odds, Dice& dice) {
  Reaction reaction;
  if (dice.chance(odds.refusals)) reaction.answer = one_of(kNo, odds.bent, dice);
  if (dice.chance(odds.mischief)) reaction.manner = one_of(kMischief, odds.bent / 7, dice);
  if (reaction.manner == Manner::whole && odds.mischief > 0 && dice.chance(10))
    reaction.manner = Manner::split;
  reaction.hangs_up = dice.chance(odds.mischief / 4);
  reaction.stores = dice.chance(50);
  return reaction;
}

std::string no_for(Moment moment, Answer answer, Dice& dice) {
  std::string_view words = answer == Answer::never   ? never_words(moment, dice)
                           : answer == Answer::ours  ? ours_words(moment, dice)
                           : answer == Answer::later ? any(kLater, dice)
                                                     : any(kClosing, dice);
  return cat(words, "\r\n");
}

bool is_doubtful(std::string_view reply) {
  return std::ranges::any_of(kDoubtful, [&](std::string_view words) { return reply.starts_with(words); });
}

std::string garbage(Dice& dice) { return cat(any(kGarbage, dice), "\r\n"); }

}  // namespace hikyaku::test
