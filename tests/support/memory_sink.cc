// SPDX-License-Identifier: MIT
#include "tests/support/memory_sink.h"

#include <utility>

#include "daemon/base/error.h"

namespace hikyaku::test {
namespace {

Result<void, mail::SinkError> outcome(const std::optional<mail::SinkErrorKind>& failure) {
  if (failure) return fail(*failure, "failed on demand");
  return {};
}

}  // namespace

class MemorySink::Writer final : public mail::MailWriter {
 public:
  Writer(MemorySink& sink, mail::MailId id, std::optional<mail::Handover> handover = std::nullopt)
      : sink_(sink), id_(id), handover_(handover) {
    ++sink_.open_;
  }
  ~Writer() override { --sink_.open_; }

  mail::MailId id() const override { return id_; }

  Task<Result<void, mail::SinkError>> write(std::string_view bytes) override {
    check(!is_committed_, "nothing is written after commit");
    content_ += bytes;
    while (sink_.holds_writes_) co_await sink_.released_.wait({});
    co_return outcome(sink_.failures.write);
  }

  Task<Result<void, mail::SinkError>> commit(mail::Envelope envelope) override {
    check(!std::exchange(is_committed_, true), "committed twice");
    while (sink_.holds_commits_) co_await sink_.released_.wait({});
    auto committed = outcome(sink_.failures.commit);
    if (committed) sink_.mails_.push_back({id_, std::move(envelope), content_, handover_});
    if (committed && sink_.on_arrival) sink_.on_arrival({.id = id_, .size = content_.size()});
    co_return committed;
  }

 private:
  MemorySink& sink_;
  mail::MailId id_;
  std::optional<mail::Handover> handover_;
  std::string content_;
  bool is_committed_ = false;
};

class MemorySink::Room final : public mail::EnvelopeRoom {
 public:
  explicit Room(const MemorySink& sink) : sink_(sink) {}
  bool grow_to(std::uint64_t bytes, std::size_t) override {
    return !sink_.envelope_memory || bytes <= *sink_.envelope_memory;
  }

 private:
  const MemorySink& sink_;
};

std::unique_ptr<mail::EnvelopeRoom> MemorySink::envelope_room() { return std::make_unique<Room>(*this); }

Result<void, mail::SinkError> MemorySink::may_accept(std::uint64_t expected_size) {
  expected_size_ = expected_size;
  return outcome(failures.may_accept);
}

Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> MemorySink::begin() {
  if (auto begun = outcome(failures.begin); !begun) return std::unexpected(begun.error());
  return std::make_unique<Writer>(*this, mail::MailId{++last_id_});
}

Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> MemorySink::begin_handed_over(
    const mail::Handover& handover) {
  if (auto begun = outcome(failures.begin); !begun) return std::unexpected(begun.error());
  return std::make_unique<Writer>(*this, mail::MailId{++last_id_}, handover);
}

void MemorySink::release() {
  holds_commits_ = holds_writes_ = false;
  released_.notify();
}

}  // namespace hikyaku::test
