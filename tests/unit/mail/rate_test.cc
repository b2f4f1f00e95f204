// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "daemon/mail/smarthost.h"

using namespace hikyaku;
using namespace hikyaku::mail;

TEST_CASE("rate: what is written so is read and written again") {
  for (const char* text : {"1/s", "14/s", "30/min", "500/h", "10000/day", "1000000/day", "14 recipients/s",
                           "10000 recipients/day"}) {
    CAPTURE(text);
    auto rate = parse_rate(text);
    REQUIRE(rate);
    CHECK(to_text(*rate) == text);
  }
  CHECK(parse_rate("30/min") == Rate{30, RateUnit::minute});
  CHECK(parse_rate("30 recipients/min") == Rate{30, RateUnit::minute, RateOf::recipients});
}

TEST_CASE("rate: nothing else is one") {
  for (const char* text : {"",
                           "/",
                           "14",
                           "14/",
                           "/s",
                           "0/s",
                           "-1/s",
                           "1.5/s",
                           "14 /s",
                           "14/ s",
                           "14/S",
                           "14/m",
                           "14/s/s",
                           "14recipients/s",
                           "14  recipients/s",
                           " recipients/s",
                           "14 recipient/s",
                           "14 messages/s",
                           "1000001/s",
                           "99999999999999999999/s"}) {
    CAPTURE(text);
    CHECK(!parse_rate(text));
  }
}

TEST_CASE("rate: a unit is as long as its name says") {
  CHECK(length(RateUnit::second) == 1s);
  CHECK(length(RateUnit::minute) == 60s);
  CHECK(length(RateUnit::hour) == 3600s);
  CHECK(length(RateUnit::day) == 86400s);
}
