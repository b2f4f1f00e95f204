// SPDX-License-Identifier: MIT
// The decisions about the ring of segments, from numbers to what is to be done: which chore comes next, and
// which record may go where. Pure; a table in the tests.
//
// Two aims. The files in log/ stay within three times the live bytes plus two segments. And whatever the
// disk's state, there is room to write down what has become of mail that was accepted: one prepared segment
// is kept beyond the active one, next and spare in one. New mail may enter it only where that is sure to set
// another free: because there is a second one, or because the oldest segment can be turned over with half a
// segment of copying, and then it leaves the other half to that. A notice of our own may, since the mail that
// it is about ends with it, leaving a half; a deferral, which a crash would undo without harm, leaving a
// quarter; that is for what ends mail, and so frees segments, and for copies.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hikyaku::spool {

struct RingState {
  std::uint64_t segment_size = 0;
  std::uint64_t log_bytes = 0;    // of the segments in use
  std::uint64_t live_bytes = 0;   // of all mails
  std::size_t ready = 0;          // prepared segments
  std::size_t spare_files = 0;    // left by an earlier run, to be made ready
  std::uint64_t active_end = 0;   // where the next record would stand; segment_size if there is no active one
  std::uint64_t active_room = 0;  // what is left there for records and their footer entries
  std::uint64_t oldest_live = 0;  // live bytes of the oldest segment in use
  std::uint64_t oldest_room = 0;  // what copying them takes, footer entries included
  bool oldest_is_closed = false;  // it is not the active one
  bool oldest_is_dead = false;    // nothing in it is needed, and every order that this rests on is durable
  bool oldest_is_useless = false;  // dead, but of another size, or recycling it has failed
  bool oldest_is_dying = false;    // it will be dead when what is being committed just now is durable
  bool footer_is_due = false;      // a closed segment has none yet
  bool is_short = false;           // the last attempt to get a ready segment has failed
  bool may_prepare = true;         // not for a while after such an attempt
};

enum class RingChore {
  none,
  reclaim,       // the oldest becomes a ready one
  remove,        // the oldest goes, and another that stays says so
  use_spare,     // a spare file becomes a ready one
  prepare,       // a new file becomes a ready one
  drop_ready,    // there are more than the bound allows
  drop_spare,    // there are more spare files than the bound allows
  write_footer,  // so that the segment need not be scanned
  copy,          // what is alive in the oldest is appended at the head
};
RingChore next_chore(const RingState& state);
enum class ChoreOutcome { nothing_to_do, done, failed };

enum class RecordUse {
  new_mail,
  notice,       // a MESSAGE of our own about queued mail
  deferral,     // PROGRESS of a mail of which nobody has got or been refused anything yet
  bookkeeping,  // any other PROGRESS, DONE, copies
};
// Whether a record that would end at `end` of the active segment may stand there.
bool may_fill_active(const RingState& state, RecordUse use, std::uint64_t end);
// Whether the log may go on in a ready segment.
bool may_take_ready(const RingState& state, RecordUse use);

}  // namespace hikyaku::spool
