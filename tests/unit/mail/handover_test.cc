// SPDX-License-Identifier: MIT
// What travels with a mail between two hikyakus: written, read again, and never believed beyond its bounds.
#include "daemon/mail/handover.h"

#include "daemon/mail/mail_source.h"
#include "doctest/doctest.h"

using namespace hikyaku;
using namespace hikyaku::mail;

namespace {

constexpr WallTime kArrival(std::chrono::seconds(1'764'464'400));

Handover some_handover() { return {.arrival = kArrival, .waited = 1h, .attempts = 7, .delay_noticed = true}; }

}  // namespace

TEST_CASE("handover: a mail's arrival and schedule are one value, and come back as they were") {
  QueuedMail mail{.id = {}, .envelope = {}, .progress = {}, .arrival = kArrival};
  mail.progress.waited = 1h;
  mail.progress.attempts = 7;
  mail.progress.delay_noticed = true;
  mail.progress.reason = "never told";
  CHECK(handover_of(mail) == some_handover());
  CHECK(to_text(some_handover()) == "1764464400000000,3600000000,7,1");
  CHECK(parse_handover("1764464400000000,3600000000,7,1") == some_handover());
  CHECK(parse_handover("0,0,0,0") == Handover{});
}

TEST_CASE("handover: at its new place the mail is due, with all recipients pending and what it has waited") {
  const Progress progress = progress_of(some_handover(), 2);
  CHECK(progress.recipients == std::vector<RecipientProgress>(2));
  CHECK(progress.waited == 1h);
  CHECK(progress.attempts == 7);
  CHECK(progress.delay_noticed);
  CHECK(progress.next_wait == 0s);
  CHECK_FALSE(progress.held);
  CHECK(progress.reason == "another hikyaku has tried it, and has handed it over");
  CHECK(progress_of({.arrival = kArrival}, 1).reason.empty());
}

TEST_CASE("handover: what is not four numbers within their bounds is none") {
  for (const char* bad :
       {"", "1", "1,2,3", "1,2,3,0,5", "1,2,3,", ",2,3,0", "1,2,3,2", "-1,2,3,0", "+1,2,3,0", " 1,2,3,0",
        "1,2,3,0 ", "1;2;3;0", "0x1,2,3,0", "1e3,2,3,0", "1,2,1000001,0", "4503599627370497,0,0,0",
        "0,4503599627370497,0,0", "99999999999999999999,0,0,0", "1,2,3,yes"})
    CHECK_MESSAGE(parse_handover(bad) == std::nullopt, bad);
  CHECK(parse_handover("4503599627370496,4503599627370496,1000000,1"));
}

TEST_CASE("handover: what is written can always be read, whatever the clock says") {
  Handover odd{.arrival = WallTime(-1h), .waited = -5s, .attempts = 4'000'000'000};
  CHECK(to_text(odd) == "0,0,1000000,0");
  odd.arrival = WallTime::max();
  odd.waited = Duration::max();
  CHECK(parse_handover(to_text(odd)));
}
