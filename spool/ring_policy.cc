// SPDX-License-Identifier: MIT
#include "spool/ring_policy.h"

#include <algorithm>

namespace hikyaku::spool {
namespace {

bool is_cheap_to_turn(const RingState& state) { return state.oldest_live <= state.segment_size / 2; }

std::size_t wanted_ready(const RingState& state) {
  bool is_half_full = state.active_end > state.segment_size / 2;
  return is_half_full && !is_cheap_to_turn(state) ? 2 : 1;
}

bool is_within_bound(const RingState& state, std::size_t ready) {
  return state.log_bytes + ready * state.segment_size <= 3 * state.live_bytes + 2 * state.segment_size;
}

// Beyond two and a half times what lives, and a segment. Where the disk has no room for another segment,
// earlier: there what is dead in the log is all that can be had. (Halves, to stay with integers.)
bool is_copying_due(const RingState& state) {
  std::uint64_t halves = state.is_short ? 3 : 5;
  return state.oldest_is_closed && state.oldest_live > 0 &&
         2 * state.log_bytes > halves * state.live_bytes + 2 * state.segment_size;
}

bool fits_into_active(const RingState& state) {
  return state.oldest_is_closed && state.oldest_live > 0 && state.active_room >= state.oldest_room;
}

// Without a ready segment: turning the oldest over costs no room on the disk, a new file does.
RingChore make_first_ready(const RingState& state) {
  bool is_better = is_cheap_to_turn(state) && !is_within_bound(state, 1);
  if (state.oldest_is_dying) return RingChore::none;
  return fits_into_active(state) && (is_better || state.is_short) ? RingChore::copy : RingChore::prepare;
}

RingChore make_second_ready(const RingState& state) {
  bool may_grow = is_within_bound(state, 2) || !state.oldest_is_closed || state.oldest_live == 0;
  return may_grow ? RingChore::prepare : RingChore::copy;
}

// It is wanted, but mail has ended since it was made.
bool is_second_too_many(const RingState& state, std::size_t wanted) {
  bool has_work = state.oldest_is_closed && state.oldest_live > 0;
  return wanted == 2 && state.ready == 2 && has_work && !is_within_bound(state, 2);
}

RingChore choose(const RingState& state) {
  if (state.oldest_is_dead) return RingChore::reclaim;
  std::size_t wanted = wanted_ready(state);
  if (state.ready < wanted && state.spare_files > 0 && state.may_prepare) return RingChore::use_spare;
  if (state.oldest_is_useless && (state.ready > 0 || !state.may_prepare)) return RingChore::remove;
  if (state.ready == 0) return make_first_ready(state);
  if (state.ready < wanted) return make_second_ready(state);
  if (is_second_too_many(state, wanted)) return RingChore::copy;
  bool is_surplus = state.ready > 2 || !is_within_bound(state, state.ready);
  if (state.ready > wanted && is_surplus) return RingChore::drop_ready;
  bool has_room_for_spares = is_within_bound(state, state.ready + state.spare_files);
  if (state.spare_files > 0 && !has_room_for_spares) return RingChore::drop_spare;
  if (state.footer_is_due) return RingChore::write_footer;
  return is_copying_due(state) ? RingChore::copy : RingChore::none;
}

}  // namespace

// Copying goes through the oldest segment's footer.
RingChore next_chore(const RingState& state) {
  RingChore chore = choose(state);
  if (chore == RingChore::prepare && !state.may_prepare) return RingChore::none;
  return chore == RingChore::copy && state.footer_is_due ? RingChore::write_footer : chore;
}

bool may_fill_active(const RingState& state, RecordUse use, std::uint64_t end) {
  if (state.ready > 0) return true;
  std::uint64_t left = state.active_room - std::min(state.active_room, end - state.active_end);
  switch (use) {
    // The other half is for the copies that turn the oldest over.
    case RecordUse::new_mail: return is_cheap_to_turn(state) && end <= state.segment_size / 2;
    case RecordUse::notice: return left >= state.segment_size / 2;
    case RecordUse::deferral: return left >= state.segment_size / 4;
    case RecordUse::bookkeeping: break;
  }
  return true;
}

bool may_take_ready(const RingState& state, RecordUse use) {
  if (state.ready == 0) return false;
  return use != RecordUse::new_mail || state.ready > 1 || is_cheap_to_turn(state);
}

}  // namespace hikyaku::spool
