// SPDX-License-Identifier: MIT
#include "spool/ring_policy.h"

#include <doctest/doctest.h>

namespace hikyaku::spool {
namespace {

constexpr std::uint64_t kSize = 1000;

// One segment in use, half empty, one ready, nothing queued: nothing to do.
RingState at_rest() {
  RingState state;
  state.segment_size = state.log_bytes = kSize;
  state.ready = 1;
  state.active_end = 400;
  state.active_room = 600;
  return state;
}

// A long log of which the oldest segment holds this much.
RingState long_log(std::uint64_t segments, std::uint64_t live, std::uint64_t oldest_live) {
  RingState state = at_rest();
  state.log_bytes = segments * kSize;
  state.live_bytes = live;
  state.oldest_live = state.oldest_room = oldest_live;
  state.oldest_is_closed = segments > 1;
  return state;
}

TEST_CASE("ring: at rest there is nothing to do") { CHECK(next_chore(at_rest()) == RingChore::none); }

TEST_CASE("ring: a dead segment is reclaimed before anything else") {
  RingState state = at_rest();
  state.oldest_is_dead = true;
  state.ready = 0;
  state.footer_is_due = true;
  CHECK(next_chore(state) == RingChore::reclaim);
}

TEST_CASE("ring: one segment is ready beyond the active one, two where the oldest cannot be turned over") {
  RingState state = at_rest();
  state.ready = 0;
  CHECK(next_chore(state) == RingChore::prepare);
  state.spare_files = 1;
  CHECK(next_chore(state) == RingChore::use_spare);
  state.may_prepare = false;  // the last attempt has just failed
  CHECK(next_chore(state) == RingChore::none);

  RingState full = long_log(1, 900, 900);
  full.active_end = 600;
  CHECK(next_chore(full) == RingChore::prepare);
  full.ready = 2;
  CHECK(next_chore(full) == RingChore::none);
  full.active_end = 400;
  full.ready = 1;
  CHECK(next_chore(full) == RingChore::none);
}

TEST_CASE("ring: where a new file would be beyond the bound the oldest is turned over") {
  RingState state = long_log(2, 10, 10);
  state.ready = 0;
  state.active_end = 100;
  CHECK(next_chore(state) == RingChore::copy);
  state.footer_is_due = true;
  CHECK(next_chore(state) == RingChore::write_footer);
  state.footer_is_due = false;
  state.active_room = 9;  // the copies would not fit
  CHECK(next_chore(state) == RingChore::prepare);
}

TEST_CASE("ring: no file is made while the oldest is about to be dead") {
  RingState state = long_log(2, 0, 0);
  state.ready = 0;
  CHECK(next_chore(state) == RingChore::prepare);
  state.oldest_is_dying = true;
  CHECK(next_chore(state) == RingChore::none);
}

TEST_CASE("ring: on a full disk the oldest is turned over while there is room, whatever lives in it") {
  RingState state = long_log(20, 19'000, 900);
  state.ready = 0;
  state.active_room = 950;
  CHECK(next_chore(state) == RingChore::prepare);
  state.is_short = true;
  CHECK(next_chore(state) == RingChore::copy);
  state.active_room = 800;
  CHECK(next_chore(state) == RingChore::prepare);
  state.may_prepare = false;
  CHECK(next_chore(state) == RingChore::none);
}

TEST_CASE("ring: copying begins when the log is longer than two and a half times what lives, and a segment") {
  CHECK(next_chore(long_log(6, 2000, 900)) == RingChore::none);
  CHECK(next_chore(long_log(7, 2000, 900)) == RingChore::copy);
  CHECK(next_chore(long_log(2, 2, 2)) == RingChore::copy);
  RingState full = long_log(6, 3000, 900);
  CHECK(next_chore(full) == RingChore::none);
  full.is_short = true;
  CHECK(next_chore(full) == RingChore::copy);
  CHECK(next_chore(long_log(1, 0, 0)) == RingChore::none);
}

TEST_CASE("ring: what cannot be recycled goes when another segment can say so, or no other can be had") {
  RingState state = at_rest();
  state.oldest_is_useless = true;
  CHECK(next_chore(state) == RingChore::remove);
  state.ready = 0;
  CHECK(next_chore(state) == RingChore::prepare);
  state.may_prepare = false;
  CHECK(next_chore(state) == RingChore::remove);
}

TEST_CASE("ring: a second ready segment that is wanted but beyond the bound makes the log shorter") {
  RingState state = long_log(2, 620, 600);
  state.ready = 2;
  state.active_end = 700;
  CHECK(next_chore(state) == RingChore::copy);
  state.live_bytes = 700;
  CHECK(next_chore(state) == RingChore::none);
}

TEST_CASE("ring: ready segments beyond the bound go") {
  RingState state = at_rest();
  state.ready = 2;
  CHECK(next_chore(state) == RingChore::drop_ready);
  state.ready = 1;
  state.spare_files = 1;
  CHECK(next_chore(state) == RingChore::drop_spare);
  RingState busy = long_log(10, 9000, 900);
  busy.ready = 2;
  CHECK(next_chore(busy) == RingChore::none);
  busy.ready = 3;
  CHECK(next_chore(busy) == RingChore::drop_ready);
}

TEST_CASE("ring: whatever the state, the files stay within the bound where the chores have a choice") {
  for (std::uint64_t segments = 1; segments < 12; ++segments)
    for (std::uint64_t live = 0; live <= segments * kSize; live += 100)
      for (std::size_t ready = 1; ready < 3; ++ready) {
        RingState state = long_log(segments, live, std::min<std::uint64_t>(live, 900));
        state.ready = ready;
        state.active_end = 900;
        bool grows = next_chore(state) == RingChore::prepare;
        bool is_beyond = state.log_bytes + (ready + 1) * kSize > 3 * live + 2 * kSize;
        CHECK_FALSE((grows && is_beyond && state.oldest_is_closed));
      }
}

TEST_CASE("ring: new mail leaves the last ready segment to what becomes of the queued") {
  RingState state = long_log(3, 2900, 900);
  CHECK_FALSE(may_take_ready(state, RecordUse::new_mail));
  CHECK(may_take_ready(state, RecordUse::bookkeeping));
  state.ready = 2;
  CHECK(may_take_ready(state, RecordUse::new_mail));
  state.ready = 0;
  CHECK_FALSE(may_take_ready(state, RecordUse::bookkeeping));

  RingState cheap = long_log(3, 2100, 100);
  CHECK(may_take_ready(cheap, RecordUse::new_mail));
}

TEST_CASE("ring: notices may use the reserve up to a half, deferrals up to three quarters, ends all of it") {
  RingState state = long_log(3, 2900, 900);
  for (RecordUse use : {RecordUse::notice, RecordUse::deferral}) {
    CHECK(may_take_ready(state, use));
    CHECK(may_fill_active(state, use, 990));
  }
  state.ready = 0;
  CHECK(may_fill_active(state, RecordUse::notice, 500));
  CHECK_FALSE(may_fill_active(state, RecordUse::notice, 501));
  CHECK(may_fill_active(state, RecordUse::deferral, 750));
  CHECK_FALSE(may_fill_active(state, RecordUse::deferral, 751));
  CHECK(may_fill_active(state, RecordUse::bookkeeping, 990));
}

TEST_CASE("ring: without a ready segment new mail leaves half of the active one") {
  RingState state = at_rest();
  CHECK(may_fill_active(state, RecordUse::new_mail, 990));
  state.ready = 0;
  CHECK(may_fill_active(state, RecordUse::new_mail, 500));
  CHECK_FALSE(may_fill_active(state, RecordUse::new_mail, 501));
  CHECK(may_fill_active(state, RecordUse::bookkeeping, 990));
  state.oldest_live = 501;  // they would not fit into a half
  CHECK_FALSE(may_fill_active(state, RecordUse::new_mail, 100));
  CHECK(may_fill_active(state, RecordUse::bookkeeping, 990));
}

}  // namespace
}  // namespace hikyaku::spool
