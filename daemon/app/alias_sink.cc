// SPDX-License-Identifier: MIT
#include "daemon/app/alias_sink.h"

#include <utility>

namespace hikyaku::app {
namespace {

log::Expanded line_for(mail::MailId id, mail::AliasExpansion& expansion) {
  log::Expanded line{mail::to_text(id), std::move(expansion.replaced), {}};
  for (const mail::Recipient& recipient : expansion.recipients) line.to.push_back(recipient.address);
  return line;
}

}  // namespace

class AliasSink::Writer final : public mail::MailWriter {
 public:
  Writer(std::unique_ptr<mail::MailWriter> writer, const AliasSink& owner)
      : writer_(std::move(writer)), owner_(owner) {}

  mail::MailId id() const override { return writer_->id(); }
  Task<Result<void, mail::SinkError>> write(std::string_view bytes) override { return writer_->write(bytes); }

  Task<Result<void, mail::SinkError>> commit(mail::Envelope envelope) override {
    auto expansion = mail::expand(owner_.rules_, envelope.recipients);
    if (expansion.replaced.empty()) {
      auto committed = co_await writer_->commit(std::move(envelope));
      co_return committed;
    }
    log::Expanded line = line_for(id(), expansion);
    envelope.recipients = std::move(expansion.recipients);
    auto committed = co_await writer_->commit(std::move(envelope));
    if (committed) owner_.log_.expanded(line);
    co_return committed;
  }

 private:
  std::unique_ptr<mail::MailWriter> writer_;
  const AliasSink& owner_;
};

void AliasSink::configure(const std::string& domain, const std::string& hostname) {
  rules_.domain = domain;
  rules_.hostname = hostname;
}

Result<void, mail::SinkError> AliasSink::may_accept(std::uint64_t expected_size) {
  return sink_.may_accept(expected_size);
}

AliasSink::Begun AliasSink::begin() { return expanding(sink_.begin()); }
AliasSink::Begun AliasSink::begin_notice() { return expanding(sink_.begin_notice()); }

AliasSink::Begun AliasSink::expanding(Begun writer) {
  if (!writer) return writer;
  return std::make_unique<Writer>(std::move(*writer), *this);
}

}  // namespace hikyaku::app
