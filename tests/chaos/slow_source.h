// SPDX-License-Identifier: MIT
// A spool on a disk that is busy: now and then reading and writing take a while, so that a smarthost finds
// the relay waiting in the middle of everything it does.
#pragma once

#include <utility>

#include "daemon/io/loop.h"
#include "daemon/mail/mail_source.h"
#include "tests/support/disk/sim_sectors.h"

namespace hikyaku::test {

class SlowSource final : public mail::MailSource {
 public:
  // All outlive it.
  SlowSource(io::Loop& loop, mail::MailSource& source, Dice& dice)
      : loop_(loop), source_(source), dice_(dice) {}
  unsigned percent = 0;  // of what is asked for

  std::vector<mail::QueueEntry> entries() const override { return source_.entries(); }
  Task<Result<std::shared_ptr<mail::MailRoom>, mail::SourceError>> make_room(
      mail::MailId id, mail::Patience patience) override;
  Task<Result<mail::QueuedMail, mail::SourceError>> load(mail::MailId id) override;
  Result<std::unique_ptr<mail::ContentReader>, mail::SourceError> open(mail::MailId id) override;
  Task<Result<mail::Recorded, mail::SourceError>> record(mail::MailId id, mail::Progress progress,
                                                         mail::MayGo may_go) override;
  Task<Result<void, mail::SourceError>> finish(mail::MailId id) override;

 private:
  class Reader;
  Task<void> rest();

  io::Loop& loop_;
  mail::MailSource& source_;
  Dice& dice_;
};

}  // namespace hikyaku::test
