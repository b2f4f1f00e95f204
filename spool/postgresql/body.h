// SPDX-License-Identifier: MIT
// The content of one mail into the database and out of it. Up to 256 KiB stands in the mail's own row; of what is longer
// each piece is a row of its own, committed before the next is asked for, so that neither side ever holds more than one.
// Every piece has a checksum under the spool's key. What has just come in is not read back while it is in memory
// (spool/cache.h). The loop's thread.
#pragma once

#include <optional>
#include <string>

#include "spool/postgresql/core.h"

namespace hikyaku::postgresql {

// What a mail is that is no ordinary one.
struct Origin {
  std::optional<mail::Handover> handover{};  // keeps its times
  std::optional<mail::MailId> about{};       // a notice about that mail, which is stored with it
  bool is_in_file = false;
};

// Without commit() the destructor has the pieces removed.
class BodyWriter final : public mail::MailWriter {
 public:
  BodyWriter(Core& core, mail::MailId id, std::int64_t epoch, Origin origin)
      : core_(core), id_(id), epoch_(epoch), origin_(std::move(origin)) {}
  ~BodyWriter() override;

  mail::MailId id() const override { return id_; }
  Task<Result<void, mail::SinkError>> write(std::string_view bytes) override;
  Task<Result<void, mail::SinkError>> commit(mail::Envelope envelope) override;

 private:
  Task<Result<void, mail::SinkError>> make_room(std::size_t wanted);
  bool grow();
  Task<Result<void, mail::SinkError>> put_piece();
  Value progress(std::size_t recipients) const;
  WallTime arrival() const;
  void keep_with_its_mail(Statement statement, const OwnedMail& mail);
  Task<Result<void, mail::SinkError>> accept(const Statements& statements);
  void keep_in_memory(spool::MessageHead head, Value content);

  Core& core_;
  mail::MailId id_;
  std::int64_t epoch_;  // of the pieces, and so of the mail
  Origin origin_;
  spool::Reservation memory_;  // never less than piece_ takes
  std::string piece_;          // what has no row yet
  std::int64_t pieces_ = 0;    // that have one
  std::uint64_t size_ = 0;     // of those
  bool is_dropped_ = true;     // the pieces are of no use when this ends
};

class BodyReader final : public mail::ContentReader {
 public:
  BodyReader(Core& core, mail::MailId id, const OwnedMail& mail)
      : core_(core), id_(id), epoch_(mail.epoch), expected_(mail.size) {}

  Task<Result<std::string_view, mail::SourceError>> next() override;
  Task<Result<void, mail::SourceError>> rewind() override;
  bool may_be_sent() const override { return core_.lease.may_send(epoch_); }

 private:
  std::string_view all_from_memory();
  Task<Result<void, mail::SourceError>> begin();
  Task<Result<void, mail::SourceError>> load_piece();
  Result<void, mail::SourceError> keep(std::string bytes, std::int64_t checksum, std::int64_t piece);
  void let_go();

  Core& core_;
  mail::MailId id_;
  std::int64_t epoch_;
  std::uint64_t expected_;  // the size
  spool::CachedMailPtr cached_;
  spool::Reservation memory_;
  std::string piece_;
  std::int64_t pieces_ = -1;  // -1: not known yet; 0: the content is in the mail's row
  std::int64_t next_ = 0;
  std::uint64_t given_ = 0;
  bool is_begun_ = false;
};

}  // namespace hikyaku::postgresql
