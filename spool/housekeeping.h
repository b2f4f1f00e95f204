// SPDX-License-Identifier: MIT
// The chores that keep the ring of segments turning, one at a time, their blocking parts on the pool:
// segments prepared ahead of need, footers, copying out of the oldest segment, recycling and removing files.
// ring_policy.h says which comes next. Loop thread.
#pragma once

#include <memory>

#include "daemon/io/nursery.h"
#include "spool/copier.h"
#include "spool/disk.h"
#include "spool/index.h"
#include "spool/ring.h"
#include "spool/workers.h"

namespace hikyaku::spool {

class Housekeeping {
 public:
  // All outlive it. `appended` is notified whenever an append has ended.
  Housekeeping(io::Loop& loop, Disk& disk, Index& index, Workers& workers, Copier& copier, Ring& ring,
               io::Event& appended);
  ~Housekeeping();

  void start();
  // When all appends have ended: finishes the chore under way, then closes the active segment with its
  // footer.
  Task<void> close();

 private:
  Task<void> run();
  Task<ChoreOutcome> next_chore();
  static Task<ChoreOutcome> no_chore();
  Task<ChoreOutcome> prepare();
  Task<ChoreOutcome> use_spare();
  Task<ChoreOutcome> reclaim();
  Task<ChoreOutcome> remove_oldest();
  Task<ChoreOutcome> drop_ready();
  Task<ChoreOutcome> drop_spare();
  Task<ChoreOutcome> write_oldest_footer();
  Task<ChoreOutcome> copy();
  void remake_directories();

  io::Loop& loop_;
  Disk& disk_;
  Index& index_;
  Workers& workers_;
  Copier& copier_;
  Ring& ring_;
  io::Event& appended_;
  std::unique_ptr<DiskLock> second_lock_;  // where the directory had to be made again
  io::Cancel no_more_chores_;
  io::Nursery nursery_;
};

}  // namespace hikyaku::spool
