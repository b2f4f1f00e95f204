// SPDX-License-Identifier: MIT
// One message on its way in. Its content gathers in memory while the budget allows, and spills to a file of
// its own when it grows over the log's limit or the budget is used up; either way the writer never holds more
// than its reservation. Loop thread; destroyed without commit() it leaves nothing behind.
#pragma once

#include <optional>
#include <string>

#include "spool/core.h"
#include "spool/large_body.h"

namespace hikyaku::spool {

class Writer final : public mail::MailWriter {
 public:
  Writer(Core& core, mail::MailId id, RecordUse use) : core_(core), id_(id), use_(use) {}
  ~Writer() override;

  mail::MailId id() const override { return id_; }
  Task<Result<void, mail::SinkError>> write(std::string_view bytes) override;
  Task<Result<void, mail::SinkError>> commit(mail::Envelope envelope) override;

 private:
  bool may_gather(std::size_t size);
  Task<Result<void, DiskError>> write_large(std::string_view bytes);
  Task<Result<void, mail::SinkError>> commit_small(MessageHead head, NewRecord record);
  Task<Result<void, mail::SinkError>> commit_large(NewRecord record);
  Task<Result<void, DiskError>> finish_large();
  std::unexpected<mail::SinkError> large_failed(const DiskError& error);

  Core& core_;
  mail::MailId id_;
  RecordUse use_;
  Reservation reservation_;
  std::string content_;  // all of it, or, of a large body, what has not been written yet
  std::optional<LargeBodyWriter> large_;
  bool keeps_file_ = false;
};

}  // namespace hikyaku::spool
