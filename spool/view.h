// SPDX-License-Identifier: MIT
// A reader of a spool directory, beside a daemon or without one: what is queued, what became of it so far,
// and the messages themselves. Takes no lock and never writes; a mail that a daemon moves while it is looked
// up is found again, a mail that ends meanwhile is `unknown_mail`. Every byte is verified by a checksum.
// Blocking; one thread. The disk outlives the view.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "spool/queue_view.h"
#include "spool/stored.h"

namespace hikyaku::spool {

// What a segment in use holds.
struct SegmentStatistics {
  SegmentNumber number = 0;
  std::string path;
  std::uint64_t size = 0;
  std::uint64_t records = 0;
  std::uint64_t live_bytes = 0;  // of records that a mail still needs
  std::uint64_t dead_bytes = 0;  // of all others
  bool has_footer = false;
  std::vector<Hole> damage;
};

class View final : public QueueView {
 public:
  // With `only`, of that mail alone, if it is there, and with its history.
  static Result<View, ViewError> open(Disk& disk, std::optional<mail::MailId> only = std::nullopt);

  // All that were queued when the log was read, oldest first. Some may have ended since.
  std::vector<mail::MailId> ids() const;
  // At most `limit` of these, from the first after `id` on, which need not exist. The time does not depend on
  // the length of the queue. A mail that load() has found to have ended may be missing.
  std::vector<mail::MailId> ids_after(mail::MailId id, std::size_t limit) const;
  std::size_t size() const { return picture_.index.size(); }
  // The same mails, without reading anything.
  std::vector<Glance> glances_after(mail::MailId id, std::size_t limit) const;

  // QueueView
  bool is_live() const override { return false; }
  std::optional<std::size_t> expected_mails() const override { return size(); }
  Result<std::vector<Glance>, ViewError> page_after(mail::MailId id, std::size_t limit) override {
    return glances_after(id, limit);
  }
  // Of all mails with that code one is read, the first time; null if that one has changed meanwhile.
  mail::CommonReasonPtr reason_of(const Glance& glance) override;
  Result<ViewedMail, mail::SourceError> load(mail::MailId id) override;
  std::vector<PastProgress> history() override;
  Result<void, mail::SourceError> read_content(mail::MailId id, const Take& take) override;
  Result<void, mail::SourceError> verify_content(mail::MailId id) override;

  bool has_large_body(mail::MailId id) const;
  const SeenLog& log() const { return picture_.log; }
  std::vector<SegmentStatistics> statistics() const;

 private:
  View(Disk& disk, std::optional<mail::MailId> only, Picture picture)
      : disk_(&disk), only_(only), picture_(std::move(picture)) {}

  template <class T>
  Result<T, mail::SourceError> look_up(mail::MailId id,
                                       const std::function<Result<T, mail::SourceError>(IndexEntry)>& look);
  bool has_moved(const IndexEntry& entry) const;
  Result<void, ViewError> renew();
  const FoundSegment& segment(SegmentNumber number) const;
  Result<StoredHead, mail::SourceError> head_at(mail::MailId id, RecordType type, Place place);
  Result<DiskFile*, mail::SourceError> file_of(SegmentNumber number);
  StoredAt at(mail::MailId id, RecordType type, Place place) const;
  Result<ViewedMail, mail::SourceError> load_at(mail::MailId id, const IndexEntry& entry);
  Result<void, mail::SourceError> add_progress(ViewedMail& mail, Place place);
  // Content of which every byte has been verified: in memory, or in a file that is open.
  struct Verified {
    std::string bytes;
    std::unique_ptr<DiskFile> large;
    RecordHeader header;  // of its MESSAGE, if it is large
  };
  Result<Verified, mail::SourceError> find_content(mail::MailId id);
  Result<Verified, mail::SourceError> content_at(mail::MailId id, const IndexEntry& entry);
  Result<Verified, mail::SourceError> large_at(mail::MailId id, Place place);

  Disk* disk_;
  std::optional<mail::MailId> only_;
  Picture picture_;
  std::map<SegmentNumber, std::unique_ptr<DiskFile>> files_;  // some that are open
  std::unordered_map<std::uint32_t, mail::CommonReasonPtr> reasons_;
};

}  // namespace hikyaku::spool
