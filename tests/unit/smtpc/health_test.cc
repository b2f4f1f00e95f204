// SPDX-License-Identifier: MIT
#include "smtpc/health.h"

#include <doctest/doctest.h>

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

struct Rig {
  Instant now{1h};
  Health health{4, true, [] { return 0.5; }};
};

}  // namespace

TEST_CASE("health: the smarthost's refusal pauses once, and the same reason is no news") {
  Rig rig;
  CHECK(rig.health.refused(wrong_password(), rig.now, {}));
  CHECK(rig.health.is_paused());
  CHECK_FALSE(rig.health.refused(wrong_password(), rig.now, {}));
  CHECK(rig.health.refused(refused(), rig.now, {}));
  CHECK(rig.health.pause()->since == rig.now);
}

TEST_CASE("health: probes come at growing intervals, log-ins more slowly") {
  Rig rig;
  Duration last{0};
  for (int i = 0; i < 10; ++i) {
    rig.health.refused(wrong_password(), rig.now, {});
    Duration wait = rig.health.pause()->next_probe - rig.now;
    CHECK(wait >= last);
    last = wait;
  }
  CHECK(last > 25min);
  CHECK(last <= 30min);
  Rig other;
  other.health.refused(refused(), other.now, {});
  CHECK(other.health.pause()->next_probe - other.now <= 10s);
}

TEST_CASE("health: reasons that take turns do not bring the probes closer together again") {
  Rig rig;
  for (int i = 0; i < 10; ++i) rig.health.refused(i % 2 == 0 ? wrong_password() : refused(), rig.now, {});
  CHECK(rig.health.pause()->next_probe - rig.now > 4min);
  rig.health.refused(wrong_password(), rig.now, {});
  CHECK(rig.health.pause()->next_probe - rig.now > 25min);
}

TEST_CASE("health: a connection that opens well ends a pause, unless only a mail can") {
  Rig rig;
  rig.health.refused(refused(), rig.now, {});
  CHECK(rig.health.opened());
  CHECK_FALSE(rig.health.is_paused());
  rig.health.refused(failure(mail::FailureKind::credentials_demanded, mail::Stage::mail), rig.now, kFirst);
  CHECK_FALSE(rig.health.opened());
  CHECK(rig.health.is_paused());
  CHECK(rig.health.delivered());
  CHECK_FALSE(rig.health.is_paused());
}

TEST_CASE("health: two different mails in a row that break off pause, one mail twice does not") {
  Rig rig;
  CHECK_FALSE(rig.health.aborted(hang_up(), rig.now, kFirst));
  CHECK_FALSE(rig.health.aborted(hang_up(), rig.now, kFirst));
  CHECK(rig.health.aborted(hang_up(), rig.now, kSecond));
  CHECK(rig.health.pause()->avoid == std::vector{kFirst, kSecond});
  CHECK(rig.health.pause()->only_a_mail_proves);
}

TEST_CASE("health: a success between two breaks keeps the lane up") {
  Rig rig;
  rig.health.aborted(hang_up(), rig.now, kFirst);
  rig.health.delivered();
  CHECK_FALSE(rig.health.aborted(hang_up(), rig.now, kSecond));
  rig.health.settled(kThird);
  CHECK_FALSE(rig.health.aborted(hang_up(), rig.now, kThird));
}

TEST_CASE("health: a probe that found nothing to send looks again later, not at once") {
  Rig rig;
  rig.health.aborted(hang_up(), rig.now, kFirst);
  rig.health.aborted(hang_up(), rig.now, kSecond);
  Instant later = rig.health.pause()->next_probe;
  rig.health.probed_in_vain(later);
  CHECK(rig.health.pause()->next_probe > later);
}

TEST_CASE("health: one connection until it is proven, and while it is paused") {
  Rig rig;
  CHECK(rig.health.limit(rig.now) == 4);
  rig.health.refused(refused(), rig.now, {});
  CHECK(rig.health.limit(rig.now) == 1);
  Health unproven(4, false, [] { return 0.5; });
  CHECK(unproven.limit(rig.now) == 1);
  unproven.delivered();
  CHECK(unproven.limit(rig.now) == 4);
}

TEST_CASE("health: slowing down halves the connections, and a quiet minute gives one back") {
  Rig rig;
  rig.health.slow_down(rig.now);
  CHECK(rig.health.limit(rig.now) == 2);
  rig.health.slow_down(rig.now);
  rig.health.slow_down(rig.now);
  CHECK(rig.health.limit(rig.now) == 1);
  CHECK(rig.health.limit(rig.now + 2min) == 3);
  CHECK(rig.health.limit(rig.now + 1h) == 4);
}

TEST_CASE("health: a suspicion is told once a reason, and a delivery clears it") {
  Rig rig;
  auto why = failure(mail::FailureKind::sender_not_owned, mail::Stage::mail);
  CHECK(rig.health.suspected(why));
  CHECK_FALSE(rig.health.suspected(why));
  CHECK_FALSE(rig.health.is_paused());
  CHECK(rig.health.delivered());
  CHECK_FALSE(rig.health.suspicion());
}
