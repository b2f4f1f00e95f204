// SPDX-License-Identifier: MIT
#include "daemon/pickup/taking_sink.h"

#include <utility>

namespace hikyaku::pickup {

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

Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> TakingSink::begin() {
  auto writer = sink_.begin();
  if (!writer) return std::unexpected(writer.error());
  return std::make_unique<Writer>(std::move(*writer), *this);
}

}  // namespace hikyaku::pickup
