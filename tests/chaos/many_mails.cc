// SPDX-License-Identifier: MIT
#include "tests/chaos/many_mails.h"

#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::test {
namespace {

class Reader final : public mail::ContentReader {
 public:
  Task<Result<std::string_view, mail::SourceError>> next() override {
    co_return std::exchange(is_read_, true) ? std::string_view() : std::string_view(ManyMails::kContent);
  }
  Task<Result<void, mail::SourceError>> rewind() override {
    is_read_ = false;
    co_return Result<void, mail::SourceError>{};
  }

 private:
  bool is_read_ = false;
};

constexpr std::uint64_t size_of_each() { return std::string_view(ManyMails::kContent).size(); }

}  // namespace

mail::QueueEntry ManyMails::add() {
  mail::MailId id{++last_id_};
  queued_[id].recipients.resize(1);
  return {.id = id, .size = size_of_each()};
}

std::vector<mail::QueueEntry> ManyMails::entries() const {
  std::vector<mail::QueueEntry> all;
  for (const auto& [id, progress] : queued_)
    all.push_back({.id = id, .size = size_of_each(), .next_wait = progress.next_wait, .held = progress.held});
  return all;
}

Task<Result<mail::QueuedMail, mail::SourceError>> ManyMails::load(mail::MailId id) {
  auto found = queued_.find(id);
  if (found == queued_.end()) co_return fail(mail::SourceErrorKind::unknown_mail, "not queued");
  mail::QueuedMail mail;
  mail.id = id;
  mail.envelope.sender = cat("s", std::to_string(id.value), "@example.com");
  mail.envelope.recipients = {{cat("r", std::to_string(id.value), "@example.net"), {}, {}}};
  mail.progress = found->second;
  mail.size = size_of_each();
  co_return mail;
}

Result<std::unique_ptr<mail::ContentReader>, mail::SourceError> ManyMails::open(mail::MailId) {
  return std::make_unique<Reader>();
}

Task<Result<mail::Recorded, mail::SourceError>> ManyMails::record(mail::MailId id, mail::Progress progress,
                                                                  mail::MayGo) {
  ++records_;
  queued_.at(id) = std::move(progress);
  co_return mail::Recorded::kept;
}

Task<Result<void, mail::SourceError>> ManyMails::finish(mail::MailId id) {
  ++records_;
  queued_.erase(id);
  co_return Result<void, mail::SourceError>{};
}

}  // namespace hikyaku::test
