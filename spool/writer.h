// SPDX-License-Identifier: MIT
// One message on its way in: its content (incoming.h), then its envelope, and both as one record into the
// log. Loop thread; without commit() the destructor removes what was stored.
#pragma once

#include <memory>
#include <optional>

#include "spool/core.h"
#include "spool/incoming.h"

namespace hikyaku::spool {

class Writer final : public mail::MailWriter {
 public:
  // With `handover` the mail keeps its arrival and progress, which are folded into its record.
  Writer(Core& core, mail::MailId id, RecordUse use, std::optional<mail::Handover> handover = std::nullopt)
      : core_(core),
        id_(id),
        use_(use),
        handover_(handover),
        body_(std::make_shared<IncomingBody>(core, id)) {}

  mail::MailId id() const override { return id_; }
  Task<Result<void, mail::SinkError>> write(std::string_view bytes) override;
  Task<Result<void, mail::SinkError>> commit(mail::Envelope envelope) override;

 private:
  WallTime arrival() const;
  Task<Result<void, mail::SinkError>> commit_small(MessageHead head, NewRecord record);
  Task<Result<void, mail::SinkError>> commit_large(NewRecord record);

  Core& core_;
  mail::MailId id_;
  RecordUse use_;
  std::optional<mail::Handover> handover_;
  std::shared_ptr<IncomingBody> body_;  // also its own while the budget has it written to its file
};

// The memory of a transaction's envelope: shares as the table in budget.h has them. SMTP promises 100
// recipients for a message (RFC 5321 4.5.3.1.8), so only what goes beyond has a narrow bound.
class SharedEnvelopeRoom final : public mail::EnvelopeRoom {
 public:
  explicit SharedEnvelopeRoom(MemoryBudget& budget)
      : first_(budget, Share::envelopes),
        list_(budget, Share::lists),
        long_list_(budget, Share::long_lists) {}
  bool grow_to(std::uint64_t bytes, std::size_t recipients) override;

 private:
  Reservation first_;
  Reservation list_;
  Reservation long_list_;
};

}  // namespace hikyaku::spool
