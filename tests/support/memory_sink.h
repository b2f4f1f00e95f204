// SPDX-License-Identifier: MIT
// A MailSink that keeps what it gets in memory, fails on demand, and can make write() and commit() wait.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/io/loop.h"
#include "daemon/mail/mail_sink.h"
#include "daemon/mail/mail_source.h"

namespace hikyaku::test {

struct StoredMail {
  mail::MailId id;
  mail::Envelope envelope;
  std::string content;
  std::optional<mail::Handover> handover{};
};

class MemorySink final : public mail::MailSink {
 public:
  explicit MemorySink(io::Loop& loop) : released_(loop) {}

  Result<void, mail::SinkError> may_accept(std::uint64_t expected_size) override;
  std::unique_ptr<mail::EnvelopeRoom> envelope_room() override;
  Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> begin() override;
  Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> begin_handed_over(
      const mail::Handover& handover) override;

  const std::vector<StoredMail>& mails() const { return mails_; }
  std::size_t open_writers() const { return open_; }
  std::size_t begun() const { return static_cast<std::size_t>(last_id_); }
  std::uint64_t expected_size() const { return expected_size_; }  // of the last may_accept()

  // What fails, from now on; nothing: succeeds.
  struct Failures {
    std::optional<mail::SinkErrorKind> may_accept;
    std::optional<mail::SinkErrorKind> begin;
    std::optional<mail::SinkErrorKind> write;
    std::optional<mail::SinkErrorKind> commit;
  };
  Failures failures;
  std::optional<std::uint64_t> envelope_memory;             // for each
  std::function<void(const mail::QueueEntry&)> on_arrival;  // called at each commit; may be empty

  // Neither returns until release().
  void hold_commits() { holds_commits_ = true; }
  void hold_writes() { holds_writes_ = true; }
  void release();

 private:
  class Writer;
  class Room;

  io::Event released_;
  bool holds_commits_ = false;
  bool holds_writes_ = false;
  std::vector<StoredMail> mails_;
  std::uint64_t last_id_ = 0;
  std::uint64_t expected_size_ = 0;
  std::size_t open_ = 0;
};

}  // namespace hikyaku::test
