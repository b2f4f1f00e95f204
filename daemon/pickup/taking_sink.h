// SPDX-License-Identifier: MIT
// A sink for one message that calls `take` right before the commit, when the message's id is known, and
// commits only if that succeeds. The loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "daemon/mail/mail_sink.h"

namespace hikyaku::pickup {

class TakingSink final : public mail::MailSink {
 public:
  // Called before a commit, which fails with its error.
  using Take = std::function<Task<Result<void, mail::SinkError>>(mail::MailId)>;
  // `sink` outlives this object, which outlives its writers.
  TakingSink(mail::MailSink& sink, Take take) : sink_(sink), take_(std::move(take)) {}

  Result<void, mail::SinkError> may_accept(std::uint64_t expected_size) override {
    return sink_.may_accept(expected_size);
  }
  std::unique_ptr<mail::EnvelopeRoom> envelope_room() override { return sink_.envelope_room(); }
  Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> begin() override;

  // The message's id if it is on stable storage, even if the caller of commit() has not been told yet.
  std::optional<mail::MailId> committed() const { return committed_; }

 private:
  class Writer;

  mail::MailSink& sink_;
  Take take_;
  std::optional<mail::MailId> committed_;
};

class TakingSink::Writer final : public mail::MailWriter {
 public:
  Writer(std::unique_ptr<mail::MailWriter> writer, TakingSink& sink)
      : writer_(std::move(writer)), sink_(sink) {}

  mail::MailId id() const override { return writer_->id(); }
  Task<Result<void, mail::SinkError>> write(std::string_view bytes) override { return writer_->write(bytes); }
  Task<Result<void, mail::SinkError>> commit(mail::Envelope envelope) override {
    auto taken = co_await sink_.take_(id());
    if (!taken) co_return taken;
    auto committed = co_await writer_->commit(std::move(envelope));
    if (committed) sink_.committed_ = id();
    co_return committed;
  }

 private:
  std::unique_ptr<mail::MailWriter> writer_;
  TakingSink& sink_;
};

inline Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> TakingSink::begin() {
  auto writer = sink_.begin_from_file();
  if (!writer) return std::unexpected(writer.error());
  return std::make_unique<Writer>(std::move(*writer), *this);
}

}  // namespace hikyaku::pickup
