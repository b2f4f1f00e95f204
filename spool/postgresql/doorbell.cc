// SPDX-License-Identifier: MIT
#include "spool/postgresql/doorbell.h"

#include <utility>

#include "spool/postgresql/statements.h"

namespace hikyaku::postgresql {
namespace {

constexpr Duration kBetweenRings = 100ms;
constexpr Duration kListenAgain = 5s;

}  // namespace

void Doorbell::begin(std::function<void()> on_ring) {
  bell_.set_on_ring(std::move(on_ring));
  nursery_.spawn(listen());
}

// Again and again: it costs nothing where the connection listens already, and finds out if there is none.
Task<void> Doorbell::listen() {
  while (!cancel_.is_requested()) {
    (void)co_await bell_.run(Statements{{&kListen, {}}});
    co_await io::sleep_until(loop_, loop_.within(kListenAgain, &cancel_));
  }
}

void Doorbell::ring() {
  if (!std::exchange(is_about_to_ring_, true)) nursery_.spawn(ring_soon());
}

Task<void> Doorbell::ring_soon() {
  co_await io::sleep_until(loop_, {next_, &cancel_});
  is_about_to_ring_ = false;
  next_ = loop_.now() + kBetweenRings;
  (void)co_await bell_.run(Statements{{&kRing, {}}});
}

Task<void> Doorbell::end() {
  cancel_.request();
  co_await nursery_.drained({});
  bell_.set_on_ring([] {});
}

}  // namespace hikyaku::postgresql
