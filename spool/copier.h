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
#include "spool/damage.h"
#include "spool/disk.h"
#include "spool/index.h"
#include "spool/new_record.h"
#include "spool/quarantine.h"
#include "spool/stored.h"
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
  // `append` writes a copy, provided that the mail is still as the index described it. `on_damage` gets a
  // report of each record that cannot be copied: a mail that is lost must be given up.
  using Append = std::function<Task<Copied>(NewRecord, IndexEntry)>;
  using OnDamage = std::function<void(const DamageReport&)>;
  Copier(io::Loop& loop, Disk& disk, const Index& index, Workers& workers, Quarantine& quarantine,
         std::size_t head_limit, Append append, OnDamage on_damage);

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
    std::vector<DamageReport> damage;
  };
  using Batch = std::vector<Load>;

  Task<void> list(SegmentNumber number);
  Batch choose();
  Batch next_batch();
  Task<bool> read(Batch& batch);
  void read_one(Load& load, std::uint64_t message_seed, std::uint64_t progress_seed);
  std::optional<StoredHead> read_progress(Load& load, std::uint64_t seed);
  void note_error(Load& load, const StoredAt& at, mail::SourceError error);
  void report_damage(const Batch& batch);
  Task<Step> copy_all(Batch batch);
  Task<void> copy(Load load);

  io::Loop& loop_;
  Disk& disk_;
  const Index& index_;
  Workers& workers_;
  Quarantine& quarantine_;
  const std::size_t head_limit_;
  Append append_;
  OnDamage on_damage_;
  SegmentNumber segment_ = 0;                                    // of which `entries_` are
  std::vector<std::pair<mail::MailId, std::uint32_t>> entries_;  // its MESSAGEs and their offsets
  std::size_t next_ = 0;                                         // of them
  std::size_t moved_ = 0;                                        // of the batch
  std::size_t failed_ = 0;                                       // of the batch
  std::size_t without_room_ = 0;                                 // of the batch
};

}  // namespace hikyaku::spool
