// SPDX-License-Identifier: MIT
// The spool: an acknowledged mail is here, on stable storage, until it has ended. The spool is a log
// (FORMAT.md) with an index in memory. This class is the front: it implements the two interfaces through
// which the rest of hikyaku uses the spool. Loop thread only; the committer's thread and libuv's pool work
// behind it.
//
// Lifetime: open() makes a spool; close() must have returned before it is destroyed (crash tests cut the
// disk's power first, so that closing has no effect). A spool must outlive its writers and readers; loop and
// disk must outlive the spool.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/io/loop.h"
#include "spool/damage.h"
#include "spool/disk.h"
#include "spool/options.h"
#include "spool/store.h"
#include "spool/trouble.h"

namespace hikyaku::spool {

class Core;

class Spool final : public Store {
 public:
  // Takes the lock, recovers what is there (on the pool) and opens a segment of its own. Damage is no error:
  // see reports().
  static Task<Result<std::unique_ptr<Spool>, SpoolError>> open(io::Loop& loop, Disk& disk,
                                                               SpoolOptions options);
  ~Spool() override;

  // Waits for everything submitted, writes the footer, stops the threads' work and releases the lock. New
  // requests fail with shutting_down or write_failed from the call on.
  Task<void> close() override;

  // Called on the loop's thread when a commit has become durable, before commit() returns to the session.
  void set_on_arrival(OnArrival on_arrival) override;

  // Called on the loop's thread, once for each record that is found damaged when it is read, after its file
  // has been copied to corrupt/ if possible.
  void set_on_damage(std::function<void(const DamageReport&)> on_damage);

  // mail::MailSink
  Result<void, mail::SinkError> may_accept(std::uint64_t expected_size) override;
  std::unique_ptr<mail::EnvelopeRoom> envelope_room() override;
  Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> begin() override;
  Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> begin_notice(mail::MailId about) override;
  Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> begin_handed_over(
      const mail::Handover& handover) override;

  // mail::MailSource
  std::vector<mail::QueueEntry> entries() const override;
  Task<Result<std::shared_ptr<mail::MailRoom>, mail::SourceError>> make_room(
      mail::MailId id, mail::Patience patience) override;
  Task<Result<mail::QueuedMail, mail::SourceError>> load(mail::MailId id) override;
  Result<std::unique_ptr<mail::ContentReader>, mail::SourceError> open(mail::MailId id) override;
  Task<Result<mail::Recorded, mail::SourceError>> record(mail::MailId id, mail::Progress progress,
                                                         mail::MayGo may_go) override;
  Task<Result<void, mail::SourceError>> finish(mail::MailId id) override;

  // Why new mail is refused: as of now if the disk answers by `until`, else as of the last check.
  std::optional<Trouble> trouble();
  Task<std::optional<Trouble>> trouble_now(io::Until until);
  // Called on the loop's thread when a trouble begins, once a day while it lasts, and with nullopt when it
  // has been over for a few seconds; at once where there is one.
  void set_on_trouble(std::function<void(const std::optional<Trouble>&)> on_trouble);
  SpoolCounters counters() const override;
  SpoolUse use() const override;
  // How long the spool was closed, as far as waiting time is concerned: from the newest record to open(), 0
  // if the clock went backwards, at most one hour.
  Duration downtime() const override;
  // What recovery found damaged; to_line() makes a line for the log of each.
  const std::vector<DamageReport>& reports() const;

 private:
  explicit Spool(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace hikyaku::spool
