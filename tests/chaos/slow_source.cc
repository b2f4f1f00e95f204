// SPDX-License-Identifier: MIT
#include "tests/chaos/slow_source.h"

namespace hikyaku::test {
namespace {

constexpr Duration kRests[] = {1ms, 100ms, 3s, 40s};

}  // namespace

class SlowSource::Reader final : public mail::ContentReader {
 public:
  Reader(SlowSource& source, std::unique_ptr<mail::ContentReader> reader)
      : source_(source), reader_(std::move(reader)) {}
  Task<Result<std::string_view, mail::SourceError>> next() override {
    co_await source_.rest();
    auto piece = co_await reader_->next();
    co_return piece;
  }
  Task<Result<void, mail::SourceError>> rewind() override { return reader_->rewind(); }

 private:
  SlowSource& source_;
  std::unique_ptr<mail::ContentReader> reader_;
};

Task<void> SlowSource::rest() {
  if (dice_.chance(percent))
    co_await io::sleep_until(loop_, loop_.within(kRests[dice_.below(std::size(kRests))] + 11us));
}

Task<Result<std::shared_ptr<mail::MailRoom>, mail::SourceError>> SlowSource::make_room(
    mail::MailId id, mail::Patience patience) {
  if (dice_.chance(percent)) co_return fail(mail::SourceErrorKind::no_memory, "others have it");
  auto room = co_await source_.make_room(id, patience);
  co_return room;
}

Task<Result<mail::QueuedMail, mail::SourceError>> SlowSource::load(mail::MailId id) {
  co_await rest();
  auto mail = co_await source_.load(id);
  co_return mail;
}

Result<std::unique_ptr<mail::ContentReader>, mail::SourceError> SlowSource::open(mail::MailId id) {
  auto reader = source_.open(id);
  if (!reader) return std::unexpected(reader.error());
  return std::make_unique<Reader>(*this, std::move(*reader));
}

Task<Result<mail::Recorded, mail::SourceError>> SlowSource::record(mail::MailId id, mail::Progress progress,
                                                                   mail::MayGo may_go) {
  co_await rest();
  auto recorded = co_await source_.record(id, std::move(progress), may_go);
  co_return recorded;
}

Task<Result<void, mail::SourceError>> SlowSource::finish(mail::MailId id) {
  co_await rest();
  auto finished = co_await source_.finish(id);
  co_return finished;
}

}  // namespace hikyaku::test
