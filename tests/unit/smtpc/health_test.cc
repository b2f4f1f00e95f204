// SPDX-License-Identifier: MIT
#include "smtpc/health.h"

#include <doctest/doctest.h>

#include <string>

using namespace hikyaku;
using namespace hikyaku::smtpc;

namespace {

constexpr mail::MailId kFirst{1}, kSecond{2}, kThird{3};

mail::Failure failure(mail::FailureKind kind, mail::Stage stage) {
  mail::Failure why;
  why.kind = kind;
  why.stage = stage;
  return why;
}
mail::Failure wrong_password() { return failure(mail::FailureKind::auth_rejected, mail::Stage::auth); }
mail::Failure refused() { return failure(mail::FailureKind::refused, mail::Stage::connect); }
mail::Failure hang_up() { return failure(mail::FailureKind::closed_early, mail::Stage::data); }

mail::Failure quota() { return failure(mail::FailureKind::account_quota, mail::Stage::message); }

struct HealthRig {
  Instant now{1h};
  Health health{4, true, [] { return 0.5; }};

  // By a connection that began after everything that is known.
  bool refused(const mail::Failure& why, std::optional<mail::MailId> id = {}) {
    return health.refused(why, now, health.round(), id);
  }
  bool aborted(mail::MailId id) { return health.aborted(hang_up(), now, health.round(), id); }
  Finding weigh(std::uint64_t number) {
    const std::string name = std::to_string(number);
    Witness witness{mail::MailId{number}, quota().kind, name + "@example.com", {name + "@example.net"}};
    return health.weigh(quota(), now, health.round(), std::move(witness)).finding;
  }
  void pause_by_evidence() {
    weigh(1);
    REQUIRE(weigh(2) == Finding::smarthost);
  }
  bool delivered(mail::MailId id = mail::MailId{1000}) { return health.delivered(id, now); }
  Duration wait() const { return health.pause()->next_probe - now; }
};

}  // namespace

TEST_CASE("health: the smarthost's refusal pauses once, and the same reason is no news") {
  HealthRig rig;
  CHECK(rig.refused(wrong_password()));
  CHECK(rig.health.is_paused());
  CHECK_FALSE(rig.refused(wrong_password()));
  CHECK(rig.refused(refused()));
  CHECK(rig.health.pause()->since == rig.now);
}

TEST_CASE("health: probes come at growing intervals, log-ins more slowly") {
  HealthRig rig;
  Duration last{0};
  for (int i = 0; i < 10; ++i) {
    rig.refused(wrong_password());
    CHECK(rig.wait() >= last);
    last = rig.wait();
  }
  CHECK(last > 25min);
  CHECK(last <= 30min);
  HealthRig other;
  other.refused(refused());
  CHECK(other.wait() <= 10s);
}

TEST_CASE("health: how long the first waits are, by what went wrong") {
  struct {
    mail::FailureKind kind;
    mail::Stage stage;
    bool is_at_work;  // before
    Duration first;
    Duration second;
  } const rows[] = {
      {mail::FailureKind::refused, mail::Stage::connect, false, 10s, 20s},
      {mail::FailureKind::refused, mail::Stage::connect, true, 1600ms, 10s},
      {mail::FailureKind::closed_early, mail::Stage::message, true, 1600ms, 10s},
      {mail::FailureKind::tls_expired, mail::Stage::tls, true, 10s, 20s},
      {mail::FailureKind::auth_rejected, mail::Stage::auth, true, 1min, 2min},
      {mail::FailureKind::auth_temporary, mail::Stage::auth, true, 10s, 20s},
      {mail::FailureKind::closed_early, mail::Stage::auth, true, 1600ms, 1min},
      {mail::FailureKind::account_quota, mail::Stage::message, true, 1h, 2h},
  };
  for (const auto& row : rows) {
    CAPTURE(mail::to_text(row.kind));
    HealthRig rig;
    if (row.is_at_work) rig.delivered();
    rig.refused(failure(row.kind, row.stage));
    CHECK(rig.wait() == row.first);
    rig.refused(failure(row.kind, row.stage));
    CHECK(rig.wait() >= row.second * 9 / 10);
    CHECK(rig.wait() <= row.second);
  }
}

TEST_CASE("health: one outage is one step, however many connections it meets") {
  HealthRig rig;
  rig.delivered();
  const unsigned before = rig.health.round();
  CHECK(rig.health.refused(hang_up(), rig.now, before, kFirst));
  const Instant promised = rig.health.pause()->next_probe;
  for (std::uint64_t i = 2; i < 64; ++i) {
    rig.now += 100ms;
    CHECK(rig.health.is_stale(before));
    CHECK_FALSE(rig.health.aborted(hang_up(), rig.now, before, mail::MailId{i}));
    CHECK_FALSE(rig.health.refused(refused(), rig.now, before, {}));
    rig.health.ended(before, rig.now);
  }
  CHECK(rig.health.pause()->probes == 1);
  CHECK(rig.health.pause()->next_probe == promised);
  CHECK(rig.health.pause()->why.kind == mail::FailureKind::closed_early);
  CHECK(rig.health.pause()->avoid.size() == 63);  // the probe still knows whom to pass over
  const unsigned probe = rig.health.round();
  CHECK(rig.health.refused(refused(), rig.now, probe, {}));
  CHECK_FALSE(rig.health.refused(refused(), rig.now, probe, {}));  // a probe fails once
  CHECK(rig.health.pause()->probes == 2);
}

TEST_CASE("health: reasons that take turns do not bring the probes closer together again") {
  HealthRig rig;
  for (int i = 0; i < 10; ++i) rig.refused(i % 2 == 0 ? wrong_password() : refused());
  CHECK(rig.wait() > 4min);
  rig.refused(wrong_password());
  CHECK(rig.wait() > 25min);
}

TEST_CASE("health: a connection that opens well ends a pause, unless only a mail can") {
  HealthRig rig;
  rig.refused(refused());
  CHECK(rig.health.opened());
  CHECK_FALSE(rig.health.is_paused());
  rig.refused(failure(mail::FailureKind::credentials_demanded, mail::Stage::mail), kFirst);
  CHECK_FALSE(rig.health.opened());
  CHECK(rig.health.is_paused());
  CHECK(rig.delivered());
  CHECK_FALSE(rig.health.is_paused());
}

TEST_CASE("health: two different mails in a row that break off pause, one mail twice does not") {
  HealthRig rig;
  CHECK_FALSE(rig.aborted(kFirst));
  CHECK_FALSE(rig.aborted(kFirst));
  CHECK(rig.aborted(kSecond));
  CHECK(rig.health.pause()->avoid == std::vector{kFirst, kSecond});
  CHECK(rig.health.pause()->only_a_mail_proves);
}

TEST_CASE("health: a success between two breaks keeps the lane up") {
  HealthRig rig;
  rig.aborted(kFirst);
  rig.delivered();
  CHECK_FALSE(rig.aborted(kSecond));
  rig.health.settled();
  CHECK_FALSE(rig.aborted(kThird));
}

TEST_CASE("health: a probe that found nothing to send looks again later, or when there is something") {
  HealthRig rig;
  rig.delivered();
  rig.aborted(kFirst);
  rig.aborted(kSecond);
  CHECK(rig.health.pause()->next_for_fresh == kNever);
  rig.now = rig.health.pause()->next_probe;
  rig.health.ended(rig.health.round(), rig.now);
  CHECK(rig.wait() == 10s);
  CHECK(rig.health.pause()->next_for_fresh == rig.now + 500ms);
}

TEST_CASE("health: evidence pauses for a moment, and only an accepted mail ends it") {
  HealthRig rig;
  CHECK(rig.weigh(1) == Finding::undecided);
  CHECK_FALSE(rig.health.is_paused());
  CHECK(rig.weigh(2) == Finding::smarthost);
  REQUIRE(rig.health.is_paused());
  CHECK(rig.health.pause()->why.kind == mail::FailureKind::account_quota);
  CHECK(rig.health.pause()->avoid == std::vector{kFirst, kSecond});
  CHECK(rig.wait() == 500ms);  // and not an hour
  CHECK_FALSE(rig.health.opened());
  CHECK_FALSE(rig.health.settled());
  CHECK(rig.delivered());
  CHECK_FALSE(rig.health.is_paused());
}

TEST_CASE("health: a few mails that are refused alike keep no other from being tried, very many do") {
  HealthRig rig;
  rig.pause_by_evidence();
  std::uint64_t number = 3;
  for (; number < 32; ++number) {
    rig.weigh(number);
    CHECK(rig.health.pause()->next_for_fresh == rig.now + 500ms);
    CHECK(rig.wait() <= 5min);
  }
  rig.weigh(number);
  CHECK(rig.health.pause()->next_for_fresh == kNever);
  CHECK(rig.wait() > 1h);
}

TEST_CASE("health: a mail that is refused for itself in a pause is no step of it") {
  HealthRig rig;
  rig.weigh(1);
  rig.delivered();
  rig.now += 15min;
  rig.refused(refused());
  const unsigned round = rig.health.round();
  CHECK(rig.weigh(1) == Finding::mail);
  CHECK(rig.health.round() == round);
}

TEST_CASE("health: what a probe promised is put off once by what forbids it") {
  HealthRig rig;
  CHECK_FALSE(rig.health.postpone_probe(rig.now + 1h));
  rig.refused(refused());
  CHECK_FALSE(rig.health.postpone_probe(rig.now + 1s));
  CHECK(rig.health.postpone_probe(rig.now + 1h));
  CHECK_FALSE(rig.health.postpone_probe(rig.now + 1h));
  CHECK(rig.wait() == 1h);
}

TEST_CASE("health: a pause remembers the newest mails only") {
  HealthRig rig;
  for (std::uint64_t i = 1; i <= 1000; ++i) rig.refused(quota(), mail::MailId{i});
  CHECK(rig.health.pause()->avoid.size() == 64);
  CHECK(rig.health.pause()->avoid.back() == mail::MailId{1000});
}

TEST_CASE("health: one connection until it is proven, and while it is paused") {
  HealthRig rig;
  CHECK(rig.health.limit(rig.now) == 4);
  rig.refused(refused());
  CHECK(rig.health.limit(rig.now) == 1);
  Health unproven(4, false, [] { return 0.5; });
  CHECK(unproven.limit(rig.now) == 1);
  unproven.delivered(kFirst, rig.now);
  CHECK(unproven.limit(rig.now) == 4);
}

TEST_CASE("health: slowing down halves the connections, and a quiet minute gives one back") {
  HealthRig rig;
  rig.health.slow_down(rig.now);
  CHECK(rig.health.limit(rig.now) == 2);
  rig.health.slow_down(rig.now);
  rig.health.slow_down(rig.now);
  CHECK(rig.health.limit(rig.now) == 1);
  CHECK(rig.health.limit(rig.now + 2min) == 3);
  CHECK(rig.health.limit(rig.now + 1h) == 4);
}

TEST_CASE("health: a suspicion is reported once a reason, and a delivery clears it") {
  HealthRig rig;
  auto why = failure(mail::FailureKind::sender_not_owned, mail::Stage::mail);
  CHECK(rig.health.suspected(why));
  CHECK_FALSE(rig.health.suspected(why));
  CHECK_FALSE(rig.health.is_paused());
  CHECK(rig.delivered());
  CHECK_FALSE(rig.health.suspicion());
}
