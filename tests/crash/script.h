// SPDX-License-Identifier: MIT
// What happens to a spool in one history, as data: turns, one after the other, each of things that are begun
// together.
#pragma once

#include <cstdint>
#include <string>
#include <system_error>
#include <vector>

#include "daemon/base/bytes.h"
#include "spool/segment.h"
#include "tests/support/disk/sim_disk.h"

namespace hikyaku::test {

enum class Do : std::uint8_t {
  accept,       // a mail of `size` bytes: begin, write, commit
  forge,        // the same, its content full of records that end mail `mail`, without the segment's key
  abandon,      // begin, write, and no commit
  progress,     // of mail `mail`, as are the following: record() an attempt, in `size` bytes or a few more
  finish,       // delivered
  bounce,       // failed: commit the bounce, await its flush, only then finish()
  bounce_part,  // one recipient failed: commit the bounce, await its flush, only then record()
  read,         // envelope and content, while the spool is at work
  // The following stand alone in their turn.
  restart,  // close and open
  kill,     // open what an earlier process left: nothing was closed, the system lives on
  resize,   // close and open with segments of `size` bytes
  rest,     // until the spool has nothing more to do; then the log is as small as was promised
  rot,      // the medium spoils 16 bytes of a file; `size` chooses
  // Troubles: what they hit may fail, until they are healed.
  fail,           // see Failure
  short_writes,   // from now on every write takes only a part
  fill_disk,      // no room but for `size` bytes
  use_up_inodes,  // all but `size`
  read_only,      // the file system is, EROFS
  vanish,  // log/ is removed under our hands (large/ if `size` is 1); its mails are nobody's promise any more
  heal,    // their causes are gone: a few seconds later nothing fails any more
};

// Of the steps of one kind the nth from now on (the first is 1) and the `times` - 1 behind it fail.
struct Failure {
  DiskStep step = DiskStep::flush;
  std::uint64_t nth = 1;
  std::uint64_t times = 1;
  std::errc error = std::errc::io_error;
};

struct Action {
  Do what = Do::accept;
  std::size_t mail = 0;  // its index in the world; one that has ended is left alone
  std::size_t size = 0;
  Failure failure = {};
};

using Turn = std::vector<Action>;

struct Script {
  std::string name;
  std::vector<Turn> turns;
  ByteSize segment_size = spool::kMinSegment;
};

inline Action accept(std::size_t size) { return {Do::accept, 0, size}; }
inline Action on(Do what, std::size_t mail) { return {what, mail, 0}; }
inline Action alone(Do what, std::size_t size = 0) { return {what, 0, size}; }
inline Action fail_step(Failure failure) { return {Do::fail, 0, 0, failure}; }

inline constexpr std::size_t kTiny = 200;      // the record ends in its first sector
inline constexpr std::size_t kSmall = 3000;    // several sectors
inline constexpr std::size_t kBig = 14'000;    // four of them fill a segment of 64 KiB
inline constexpr std::size_t kLarge = 70'000;  // a file of its own

// All that are cut at every step.
const std::vector<Script>& scripts();
// Accept, progress and completion in every combination that has a rule of its own.
std::vector<Script> plain_scripts();
// The log turns round while mails stay: copies, copies of copies, recycled segments.
std::vector<Script> ring_scripts();
// The disk fails, fills, is read-only, is gone; and comes back.
std::vector<Script> trouble_scripts();

// Another one for each seed.
Script random_script(std::uint64_t seed);
// A few thousand mails pass by some that stay.
Script long_script();
// Life after a recovery, for mails `alive`: some are finished, others make progress, new ones come, from
// `next` on, and fill a small segment.
Script afterlife(const std::vector<std::size_t>& alive, std::size_t next);

}  // namespace hikyaku::test
