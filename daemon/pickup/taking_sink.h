// SPDX-License-Identifier: MIT
// A sink for one message of which something must be done right before it is committed, when its id is known,
// and without which it must not be. The loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "daemon/mail/mail_sink.h"

namespace hikyaku::pickup {

class TakingSink final : public mail::MailSink {
 public:
  // Before a commit; an error is the commit's.
  using Take = std::function<Task<Result<void, mail::SinkError>>(mail::MailId)>;
  // The sink outlives it, and it outlives its writers.
  TakingSink(mail::MailSink& sink, Take take) : sink_(sink), take_(std::move(take)) {}

  Result<void, mail::SinkError> may_accept(std::uint64_t expected_size) override {
    return sink_.may_accept(expected_size);
  }
  std::unique_ptr<mail::EnvelopeRoom> envelope_room() override { return sink_.envelope_room(); }
  Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> begin() override;

  // The message, if it is on stable storage, whoever still waits to hear of it.
  std::optional<mail::MailId> committed() const { return committed_; }

 private:
  class Writer;

  mail::MailSink& sink_;
  Take take_;
  std::optional<mail::MailId> committed_;
};

}  // namespace hikyaku::pickup
