// SPDX-License-Identifier: MIT
#include "daemon/dns/absence.h"

#include <doctest/doctest.h>

using namespace hikyaku;
using namespace hikyaku::dns;

namespace {

constexpr Instant kBegin{1h};

}  // namespace

TEST_CASE("absence: one answer proves nothing, nor do many within half an hour") {
  AbsenceEvidence evidence;
  CHECK_FALSE(evidence.absent("gone.example", kBegin));
  evidence.found("other.example", kBegin + 1s);
  for (Duration later : {1s, 60s, 1799s}) CHECK_FALSE(evidence.absent("gone.example", kBegin + later));
}

TEST_CASE("absence: a second answer half an hour later is believed if other names were found meanwhile") {
  AbsenceEvidence evidence;
  evidence.absent("gone.example", kBegin);
  evidence.found("other.example", kBegin + 10min);
  CHECK(evidence.absent("gone.example", kBegin + 30min));
  CHECK(evidence.absent("gone.example", kBegin + 2h));
}

TEST_CASE("absence: a resolver that finds nothing is never believed") {
  AbsenceEvidence evidence;
  evidence.found("before.example", kBegin - 1min);
  for (Duration later : {0s, 3600s, 36'000s}) CHECK_FALSE(evidence.absent("gone.example", kBegin + later));
}

TEST_CASE("absence: a domain that is found in between begins anew") {
  AbsenceEvidence evidence;
  evidence.absent("back.example", kBegin);
  evidence.found("back.example", kBegin + 10min);
  CHECK_FALSE(evidence.absent("back.example", kBegin + 40min));
  evidence.found("other.example", kBegin + 50min);
  CHECK(evidence.absent("back.example", kBegin + 70min));
  evidence.exists("back.example");
  CHECK_FALSE(evidence.absent("back.example", kBegin + 80min));
}

TEST_CASE("absence: what nobody has asked about for a day is forgotten") {
  AbsenceEvidence evidence;
  evidence.absent("gone.example", kBegin);
  evidence.found("other.example", kBegin + 10min);
  CHECK_FALSE(evidence.absent("gone.example", kBegin + 25h));
}

TEST_CASE("absence: another resolver has said nothing yet") {
  AbsenceEvidence evidence;
  evidence.absent("gone.example", kBegin);
  evidence.found("other.example", kBegin + 10min);
  evidence.forget();
  CHECK_FALSE(evidence.absent("gone.example", kBegin + 30min));
}

TEST_CASE("absence: it is bounded, and what it forgets only makes it more patient") {
  AbsenceEvidence evidence;
  for (std::size_t i = 0; i <= AbsenceEvidence::kMost; ++i)
    evidence.absent(std::to_string(i) + ".example", kBegin + Duration(i));
  CHECK(evidence.size() == AbsenceEvidence::kMost);
  evidence.found("other.example", kBegin + 10min);
  CHECK_FALSE(evidence.absent("0.example", kBegin + 31min));
  CHECK(evidence.absent("5.example", kBegin + 31min));
}
