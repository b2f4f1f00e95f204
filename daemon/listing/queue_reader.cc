// SPDX-License-Identifier: MIT
#include "daemon/listing/queue_reader.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <memory>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/mail/drop_format.h"
#include "daemon/system/accounts.h"

namespace hikyaku::listing {
namespace {

// Building the view may take a second with a million mails. A page of this length makes that worthwhile even
// if every other request needs a newer view.
constexpr Duration kSlice = 250ms;
constexpr std::size_t kGlances = 256;
// Bounds the memory of one page.
constexpr std::size_t kRecipients = 2000;

using spool::ViewErrorKind;

std::string owner_of(const std::string& directory) {
  struct stat status;
  if (::stat(directory.c_str(), &status) != 0) return "the daemon's user";
  std::string name = system::find_local_user(status.st_uid, system::WithGroups::no).name;
  return name.empty() ? cat("user ", std::to_string(status.st_uid)) : name;
}

std::string who_may_read(const std::string& directory) {
  std::string owner = owner_of(directory);
  return cat("only root ", owner == "root" ? "" : cat("and its owner, ", owner, ", "), "may read ", directory,
             "; try sudo");
}

constexpr std::size_t kMostCounted = 100'000;

std::string drop_directory(const std::string& spool) { return cat(spool, "/drop"); }

bool is_owned_by(int directory, const char* name, std::uint32_t owner) {
  struct stat status{};
  return ::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && status.st_uid == owner;
}

}  // namespace

QueueReader::QueueReader(std::string directory, Clock& clock, OpenView open)
    : directory_(std::move(directory)), clock_(clock), open_(std::move(open)) {
  if (!open_) open_ = [this] { return open_directory(directory_); };
}

Result<QueueReader::Page, StartError> QueueReader::page(mail::MailId after, std::size_t limit,
                                                        const Wanted& wanted, Instant as_of) {
  Lock lock(mutex_);
  auto fresh = refresh(as_of);
  if (!fresh) return std::unexpected(fresh.error());
  Page page;
  std::size_t recipients = 0;
  Instant end = clock_.now() + kSlice;
  for (;;) {
    auto next = view_->page_after(after, kGlances);
    if (!next) return std::unexpected(lost(next.error()));
    if (next->empty()) return page;
    for (const spool::Glance& glance : *next) {
      if (page.mails.size() >= limit || recipients >= kRecipients || clock_.now() >= end) {
        page.next = after;
        return page;
      }
      std::size_t before = page.mails.size();
      look_at(glance, wanted, page);
      if (page.mails.size() > before) recipients += page.mails.back().mail.envelope.recipients.size();
      after = glance.id;
    }
  }
}

// What has failed is opened anew by the next who asks.
StartError QueueReader::lost(const spool::ViewError& error) {
  view_.reset();
  return explain(error, directory_);
}

void QueueReader::look_at(const spool::Glance& glance, const Wanted& wanted, Page& page) {
  auto brief = wanted.rules_out ? brief_of(*view_, glance) : std::nullopt;
  if (brief && wanted.rules_out(*brief)) return;
  auto mail = view_->load(glance.id);
  if (mail && wanted.fits(*mail)) page.mails.push_back(std::move(*mail));
  if (!mail && mail.error().kind != mail::SourceErrorKind::unknown_mail) page.unreadable.push_back(glance.id);
}

Result<void, StartError> QueueReader::refresh(Instant as_of) {
  was_used_ = true;
  if (view_ && (view_->is_live() || taken_ >= as_of)) return {};
  view_.reset();  // two views would take twice the memory
  taken_ = clock_.now();
  auto view = open_();
  if (!view) return std::unexpected(view.error());
  view_ = std::move(*view);
  return {};
}

void QueueReader::rest() {
  Lock lock(mutex_);
  if (!std::exchange(was_used_, false)) view_.reset();
}

Result<std::shared_ptr<spool::QueueView>, StartError> open_directory(const std::string& directory,
                                                                     std::optional<mail::MailId> only) {
  struct Opened {
    std::unique_ptr<spool::Disk> disk;
    std::optional<spool::View> view;
  };
  auto opened = std::make_shared<Opened>();
  auto disk = spool::open_disk(directory);
  if (!disk) return std::unexpected(explain(spool::to_view_error(disk.error()), directory));
  opened->disk = std::move(*disk);
  auto view = spool::View::open(*opened->disk, only);
  if (!view) return std::unexpected(explain(view.error(), directory));
  opened->view.emplace(std::move(*view));
  return std::shared_ptr<spool::QueueView>(opened, &*opened->view);
}

StartError explain(const spool::ViewError& error, const std::string& directory) {
  switch (error.kind) {
    case ViewErrorKind::missing:
      return {Exit::no_input, cat("there is no spool in ", directory, " (", error.text, ")")};
    case ViewErrorKind::not_permitted: return {Exit::no_permission, who_may_read(directory)};
    case ViewErrorKind::always_changing:
    case ViewErrorKind::away: return {Exit::try_again, error.text};
    case ViewErrorKind::read_failed:
    case ViewErrorKind::later_format: break;
  }
  return {Exit::io, cat("cannot read the spool in ", directory, ": ", error.text)};
}

std::optional<std::size_t> count_drops(const std::string& spool, std::optional<std::uint32_t> owner) {
  std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(drop_directory(spool).c_str()), ::closedir);
  if (!entries) return std::nullopt;
  std::size_t count = 0;
  while (const dirent* entry = ::readdir(entries.get())) {
    if (!mail::is_drop_name(entry->d_name)) continue;
    if (owner && !is_owned_by(::dirfd(entries.get()), entry->d_name, *owner)) continue;
    if (++count == kMostCounted) break;
  }
  return count;
}

std::string drops_text(const std::string& spool, std::optional<std::uint32_t> owner) {
  std::size_t count = count_drops(spool, owner).value_or(0);
  if (count == 0) return "";
  return cat(std::to_string(count), count == kMostCounted ? " or more" : "", count == 1 ? " mail" : " mails",
             owner ? " of yours" : "", count == 1 ? " waits in " : " wait in ", drop_directory(spool),
             " to be fetched by hikyakud");
}

}  // namespace hikyaku::listing
