// SPDX-License-Identifier: MIT
// A queue of any size that costs next to nothing: mails that differ in nothing but their number, kept in
// memory. For what takes days and a hundred thousand of them. One thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/mail/mail_source.h"

namespace hikyaku::test {

class ManyMails final : public mail::MailSource {
 public:
  static constexpr const char* kContent = "Subject: one of many\r\n\r\nbody\r\n";

  // One more; from s<number>@example.com to r<number>@example.net.
  mail::QueueEntry add();
  std::size_t queued() const { return queued_.size(); }
  std::size_t records() const { return records_; }  // how often anything of a mail was written down

  std::vector<mail::QueueEntry> entries() const override;
  Task<Result<mail::QueuedMail, mail::SourceError>> load(mail::MailId id) override;
  Result<std::unique_ptr<mail::ContentReader>, mail::SourceError> open(mail::MailId id) override;
  Task<Result<mail::Recorded, mail::SourceError>> record(mail::MailId id, mail::Progress progress,
                                                         mail::MayGo may_go) override;
  Task<Result<void, mail::SourceError>> finish(mail::MailId id) override;

 private:
  std::map<mail::MailId, mail::Progress> queued_;
  std::uint64_t last_id_ = 0;
  std::size_t records_ = 0;
};

}  // namespace hikyaku::test
