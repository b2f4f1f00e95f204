// SPDX-License-Identifier: MIT
// The parts of an open spool, wired together, and the steps that writers, readers and the front share. Loop
// thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/io/nursery.h"
#include "daemon/mail/mail_sink.h"
#include "daemon/mail/mail_source.h"
#include "spool/budget.h"
#include "spool/cache.h"
#include "spool/damage_watch.h"
#include "spool/journal.h"
#include "spool/space_watch.h"
#include "spool/start.h"
#include "spool/stored.h"

namespace hikyaku::spool {

class Core {
 public:
  Core(io::Loop& loop, Disk& disk, const SpoolOptions& options, Started started);

  // Why a message of that size (0: unknown) cannot be taken now.
  std::optional<mail::SinkError> reason_to_refuse(std::uint64_t size);
  std::optional<mail::SinkError> reason_to_refuse_notice();
  // Journal::append(), whose result SpaceWatch gets to know.
  Task<Result<void, DiskError>> append(NewRecord record);
  // Commits a MESSAGE, then caches it (nullptr: it is not cached) and announces it.
  Task<Result<void, mail::SinkError>> store(NewRecord record, std::shared_ptr<CachedMail> mail);
  // Unlinks the mail's file in the background. A missing file counts as success; recovery would unlink it
  // too.
  void remove_large(mail::MailId id);

  Task<Result<StoredHead, mail::SourceError>> stored_head(mail::MailId id, Place place, RecordType type);
  // Whether the mail's records have been moved since the index returned `entry`: bytes read meanwhile may
  // belong to another segment.
  bool has_moved(mail::MailId id, const IndexEntry& entry) const;

  StoredAt at(mail::MailId id, Place place, RecordType type) const;
  // `error`, unless the mail has ended meanwhile.
  mail::SourceError explain(mail::MailId id, mail::SourceError error) const;
  // The same; damage of the message's record, or of its large body, is also reported.
  mail::SourceError explain_and_report_record(mail::MailId id, const IndexEntry& entry,
                                              mail::SourceError error);
  mail::SourceError explain_and_report_body(mail::MailId id, const IndexEntry& entry,
                                            mail::SourceError error);
  // A record whose bytes are not what they should be.
  void note_damage(const StoredAt& at);

  io::Loop& loop;
  Disk& disk;
  const SpoolOptions options;
  std::unique_ptr<DiskLock> lock;
  Ids ids;
  Index index;
  Workers workers;
  SpaceWatch space;
  MemoryBudget budget;
  Cache cache;  // its destructor gives memory back to the budget
  Quarantine quarantine;
  io::Nursery nursery;
  DamageWatch damage;
  Journal journal;
  std::function<void(mail::QueueEntry)> on_arrival;
  std::vector<DamageReport> reports;
  Duration downtime;
  bool is_closing = false;

 private:
  void give_up(const DamageReport& report);
  Task<void> unlink_large(mail::MailId id);
};

}  // namespace hikyaku::spool
