// SPDX-License-Identifier: MIT
// Fault switches: each omits or spoils one thing that a promise rests on, so that the crash tests can be
// shown to notice (tests/crash/mutants.sh). They exist only in a build with HIKYAKU_FAULTS; elsewhere the
// question is a constant and the compiler drops the branch. One fault at a time, from the environment
// (HIKYAKU_FAULT=name, read once) or from inject().
#pragma once

#include <cstdint>
#include <string_view>

namespace hikyaku::spool {

enum class Fault : std::uint8_t {
  none,
  no_flush_before_250,  // the committer acknowledges what it has written and not flushed
  no_fsync_log_dir,     // a new segment's name is never made durable
  no_fsync_large_dir,   // nor a large body's
  done_with_bounce,  // commit() of a message from <> returns before its flush, so that the finish() which the
                     // caller submits next joins the same batch: the bounce contract broken from inside. To
                     // trigger it: commit a message from <>, then finish() another mail at once, then cut
  append_to_old_segment,  // recovery goes on writing in the newest segment, behind its last valid record
  checksum_without_key,   // checksums know neither the segment's key nor the record's position
  retry_failed_flush_on_same_segment,  // a second fdatasync that succeeds is believed
  free_out_of_order,                   // any segment is reclaimed in which no mail lives, not the oldest only
  free_before_copies_are_flushed,      // a segment counts as empty when its mails' copies have been submitted
  no_fsync_log_dir_on_recycle,         // a recycled segment's new name is not durable before its first record
  footer_without_checksum,             // whatever stands in a footer's place is believed
};

#ifdef HIKYAKU_FAULTS
bool is_injected(Fault fault);
void inject(Fault fault);  // for tests; before the spool is opened
// Fault::none if there is no such name.
Fault fault_by_name(std::string_view name);
#else
constexpr bool is_injected(Fault) { return false; }
#endif

}  // namespace hikyaku::spool
