// SPDX-License-Identifier: MIT
#include "daemon/listing/queue_reader.h"

#include <utility>

#include "daemon/listing/view_trouble.h"

namespace hikyaku::listing {
namespace {

// So that the picture, which may take a second of its own with a million mails, pays even where others want a
// newer one each time.
constexpr Duration kSlice = 250ms;
constexpr std::size_t kIds = 256;
// Of one page in memory, about.
constexpr std::size_t kRecipients = 2000;

}  // namespace

Result<QueueReader::Page, StartError> QueueReader::page(mail::MailId after, std::size_t limit,
                                                        const Fits& fits, Instant as_of) {
  Lock lock(mutex_);
  auto fresh = refresh(as_of);
  if (!fresh) return std::unexpected(fresh.error());
  Page page;
  std::size_t recipients = 0;
  Instant end = clock_.now() + kSlice;
  for (auto ids = view_->ids_after(after, kIds); !ids.empty(); ids = view_->ids_after(after, kIds)) {
    for (mail::MailId id : ids) {
      if (page.mails.size() >= limit || recipients >= kRecipients || clock_.now() >= end) {
        page.next = after;
        return page;
      }
      std::size_t before = page.mails.size();
      look_at(id, fits, page);
      if (page.mails.size() > before) recipients += page.mails.back().mail.envelope.recipients.size();
      after = id;
    }
  }
  return page;
}

void QueueReader::look_at(mail::MailId id, const Fits& fits, Page& page) {
  auto mail = view_->load(id);
  if (mail && fits(*mail)) page.mails.push_back(std::move(*mail));
  if (!mail && mail.error().kind != mail::SourceErrorKind::unknown_mail) page.unreadable.push_back(id);
}

Result<void, StartError> QueueReader::refresh(Instant as_of) {
  was_used_ = true;
  if (view_ && taken_ >= as_of) return {};
  view_.reset();  // two at a time would be twice the memory
  auto disk = spool::open_disk(directory_);
  if (!disk) return std::unexpected(explain(spool::to_view_error(disk.error()), directory_));
  disk_ = std::move(*disk);
  taken_ = clock_.now();
  auto view = spool::View::open(*disk_);
  if (!view) return std::unexpected(explain(view.error(), directory_));
  view_.emplace(std::move(*view));
  return {};
}

void QueueReader::rest() {
  Lock lock(mutex_);
  if (!std::exchange(was_used_, false)) view_.reset();
}

}  // namespace hikyaku::listing
