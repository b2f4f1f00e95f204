// SPDX-License-Identifier: MIT
// Empties the oldest segment: what is alive there is read back, verified, and appended at the head under its
// old id with the newest progress folded into its head, a batch at a time. The segment is free when the index
// knows of no mail in it, which the index learns when the copies are on stable storage and not before. Never
// copies a mail of which a PROGRESS or DONE is on its way: the copy would stand behind it and undo it. Loop
// thread; reads on the pool.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/io/loop.h"
#include "daemon/mail/mail_source.h"
#include "spool/disk.h"
#include "spool/index.h"
#include "spool/new_record.h"
#include "spool/workers.h"

namespace hikyaku::spool {

enum class Copied {
  moved,    // the copy is on stable storage and in the index
  changed,  // nothing was written: the mail has moved on, or is about to
  no_room,  // there is no place for it just now
  failed,   // it could not be written
};

class Copier {
 public:
  // `append` writes a copy, provided that the mail still is what the index said. `lose` gives up a mail that
  // is damaged; a copy of the segment is in corrupt/ by then.
  using Append = std::function<Task<Copied>(NewRecord, IndexEntry)>;
  using Lose = std::function<void(mail::MailId, const mail::SourceError&)>;
  Copier(io::Loop& loop, Disk& disk, const Index& index, Workers& workers, std::size_t head_limit,
         Append append, Lose lose);

  enum class Step {
    moved,    // some went
    stuck,    // all that is left changes just now: try again later
    no_room,  // there must be a ready segment first
    failed,   // reading or writing failed
  };
  // The next batch of segment `oldest`.
  Task<Step> step(SegmentNumber oldest);

 private:
  // One mail on its way: what the index says of it, and what was read.
  struct Load {
    mail::MailId id;
    IndexEntry entry;
    NewRecord record;
    std::string content;
    std::optional<mail::SourceError> error;
  };
  using Batch = std::vector<Load>;

  Task<void> list(SegmentNumber number);
  Batch choose();
  Batch next_batch();
  Task<bool> read(Batch& batch);
  void read_one(Load& load, std::uint64_t message_seed, std::uint64_t progress_seed);
  Task<bool> give_up_damaged(const Batch& batch);
  Task<Step> copy_all(Batch batch);
  Task<void> copy(Load load);

  io::Loop& loop_;
  Disk& disk_;
  const Index& index_;
  Workers& workers_;
  const std::size_t head_limit_;
  Append append_;
  Lose lose_;
  SegmentNumber segment_ = 0;                                    // of which `entries_` are
  std::vector<std::pair<mail::MailId, std::uint32_t>> entries_;  // its MESSAGEs and their offsets
  std::size_t next_ = 0;                                         // of them
  std::size_t moved_ = 0;                                        // of the batch
  std::size_t failed_ = 0;                                       // likewise
  std::size_t without_room_ = 0;                                 // likewise
};

}  // namespace hikyaku::spool
