// SPDX-License-Identifier: MIT
#include "daemon/io/signals.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>

using namespace hikyaku;
using namespace hikyaku::io;

namespace {

void tell_ourselves(int number) { ::kill(::getpid(), number); }

}  // namespace

TEST_CASE("io: a signal is read like any other event, and does not end the process") {
  SystemClock clock;
  Loop loop(clock);
  Signals signals(loop, {SIGUSR1, SIGUSR2});
  tell_ourselves(SIGUSR2);
  auto number = loop.run(signals.next(loop.within(10s)));
  CHECK(number.value_or(0) == SIGUSR2);
}

TEST_CASE("io: signals that come while nobody asks are kept in their order") {
  SystemClock clock;
  Loop loop(clock);
  Signals signals(loop, {SIGUSR1, SIGUSR2});
  tell_ourselves(SIGUSR1);
  auto first = loop.run(signals.next(loop.within(10s)));
  tell_ourselves(SIGUSR2);
  auto second = loop.run(signals.next(loop.within(10s)));
  CHECK(first.value_or(0) == SIGUSR1);
  CHECK(second.value_or(0) == SIGUSR2);
}

TEST_CASE("io: waiting for a signal can be cancelled") {
  ManualClock clock;
  Loop loop(clock);
  Signals signals(loop, {SIGUSR1});
  Cancel cancel;
  cancel.request();
  auto number = loop.run(signals.next({kNever, &cancel}));
  REQUIRE_FALSE(number);
  CHECK(number.error().kind == IoErrorKind::cancelled);
}
