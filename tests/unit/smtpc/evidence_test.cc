// SPDX-License-Identifier: MIT
#include "smtpc/evidence.h"

#include <doctest/doctest.h>

#include <string>

#include "daemon/base/text.h"

using namespace hikyaku;
using namespace hikyaku::smtpc;
using mail::FailureKind;

namespace {

constexpr Instant kStart{1h};

// Mail N, from and to people of its own.
Witness mail_of(std::uint64_t number, FailureKind kind = FailureKind::account_quota) {
  const std::string name = std::to_string(number);
  return {mail::MailId{number}, kind, cat("s", name, "@example.com"), {cat("r", name, "@example.net")}};
}

// What somebody else's mail adds.
constexpr mail::MailId kOther{1000};

}  // namespace

TEST_CASE("evidence: two different mails of different people, refused alike with none accepted between") {
  struct {
    const char* what;
    Witness second;
    bool is_accepted_between;
    Finding finding;
  } const rows[] = {
      {"another mail of other people", mail_of(2), false, Finding::smarthost},
      {"the same mail again", mail_of(1), false, Finding::undecided},
      {"another mail of the same sender",
       {mail::MailId{2}, FailureKind::account_quota, "s1@example.com", {"r2@example.net"}},
       false,
       Finding::undecided},
      {"another mail to the same recipient among others",
       {mail::MailId{2}, FailureKind::account_quota, "s2@example.com", {"x@example.net", "r1@example.net"}},
       false,
       Finding::undecided},
      {"refused in another way", mail_of(2, FailureKind::auth_rejected), false, Finding::undecided},
      {"a mail was accepted between", mail_of(2), true, Finding::undecided},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    Evidence evidence;
    CHECK(evidence.weigh(mail_of(1), kStart) == Finding::undecided);
    if (row.is_accepted_between) evidence.accepted(kOther);
    CHECK(evidence.weigh(row.second, kStart + 1s) == row.finding);
  }
}

TEST_CASE("evidence: when a mail that is refused again is refused for itself") {
  struct {
    const char* what;
    Duration later;
    mail::MailId accepted;  // between; 0: none
    bool is_another_refused;
    Finding finding;
  } const rows[] = {
      {"a quarter of an hour later, and another accepted", 15min, kOther, false, Finding::mail},
      {"a day later", 24h, kOther, false, Finding::mail},
      {"too soon", 15min - 1s, kOther, false, Finding::undecided},
      {"nothing was accepted", 24h, mail::MailId{}, false, Finding::undecided},
      {"only itself was accepted, for others of its recipients", 24h, mail::MailId{1}, false,
       Finding::undecided},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    Evidence evidence;
    CHECK(evidence.weigh(mail_of(1), kStart) == Finding::undecided);
    if (row.accepted != mail::MailId{}) evidence.accepted(row.accepted);
    CHECK(evidence.weigh(mail_of(1), kStart + row.later) == row.finding);
  }
}

TEST_CASE("evidence: while others are refused too, no mail is refused for itself") {
  Evidence evidence;
  evidence.weigh(mail_of(1), kStart);
  evidence.accepted(kOther);
  evidence.weigh(mail_of(2), kStart + 19min);
  CHECK(evidence.weigh(mail_of(1), kStart + 20min) == Finding::smarthost);
  evidence.accepted(kOther);
  CHECK(evidence.weigh(mail_of(1), kStart + 21min) == Finding::mail);
  // … and whoever is, is no witness against the smarthost.
  CHECK(evidence.witnesses().empty());
}

TEST_CASE("evidence: what was refuted takes more witnesses for an hour") {
  Evidence evidence;
  std::uint64_t number = 0;
  auto needed = [&](Instant now) {
    for (std::size_t count = 1;; ++count)
      if (evidence.weigh(mail_of(++number), now) == Finding::smarthost) return count;
  };
  auto refute = [&](Instant now) {
    evidence.refuted(now);
    evidence.accepted(kOther);
  };
  CHECK(needed(kStart) == 2);
  refute(kStart);
  CHECK(needed(kStart + 1s) == 8);
  refute(kStart + 2s);
  CHECK(needed(kStart + 3s) == 32);
  refute(kStart + 4s);
  CHECK(needed(kStart + 5s) == 32);
  evidence.accepted(kOther);
  CHECK(needed(kStart + 2h) == 2);
}

TEST_CASE("evidence: a hundred thousand poisoned mails are not all remembered, and none bounces too early") {
  Evidence evidence;
  for (std::uint64_t i = 1; i <= 100'000; ++i) {
    evidence.weigh(mail_of(i), kStart);
    evidence.accepted(kOther);
    CHECK(evidence.witnesses().size() <= Evidence::kCertain);
  }
  evidence.accepted(kOther);
  CHECK(evidence.weigh(mail_of(1), kStart + 1h) == Finding::mail);
  CHECK(evidence.weigh(mail_of(100'000), kStart + 1h) == Finding::undecided);
  // Those of which nothing was heard any more make room.
  evidence.accepted(kOther);
  CHECK(evidence.weigh(mail_of(200'000), kStart + 30h) == Finding::undecided);
  evidence.accepted(kOther);
  CHECK(evidence.weigh(mail_of(200'000), kStart + 31h) == Finding::mail);
}
