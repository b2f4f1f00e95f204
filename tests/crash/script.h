// SPDX-License-Identifier: MIT
// What happens to a spool in one history, as data: turns, one after the other, each of things that are begun
// together.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hikyaku::test {

enum class Do : std::uint8_t {
  accept,       // a mail of `size` bytes: begin, write, commit
  forge,        // the same, its content full of records that end mail `mail`, without the segment's key
  abandon,      // begin, write, and no commit
  progress,     // of mail `mail`, as are the following: record() that an attempt was made
  finish,       // delivered
  bounce,       // failed: commit the bounce, await its flush, only then finish()
  bounce_part,  // one recipient failed: commit the bounce, await its flush, only then record()
  read,         // envelope and content, while the spool is at work
  // The following stand alone in their turn.
  restart,       // close and open
  kill,          // open what an earlier process left: nothing was closed, the system lives on
  fail_flush,    // the next one (counted from `size`) fails with EIO
  fail_write,    // likewise
  short_writes,  // from now on every write takes only a part
  fill_disk,     // no room but for `size` bytes
  free_disk,     // room again
  rot,           // the medium spoils 16 bytes of a file; `size` chooses
};

struct Action {
  Do what = Do::accept;
  std::size_t mail = 0;  // its index in the world; one that has ended is left alone
  std::size_t size = 0;
};

using Turn = std::vector<Action>;

struct Script {
  std::string name;
  std::vector<Turn> turns;
};

// Accept, progress and completion in every combination that has a rule of its own.
const std::vector<Script>& scripts();
// Another one for each seed.
Script random_script(std::uint64_t seed);
// Life after a recovery, for mails `alive`: some are finished, one makes progress, new ones come.
Script afterlife(const std::vector<std::size_t>& alive);

}  // namespace hikyaku::test
