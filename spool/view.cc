// SPDX-License-Identifier: MIT
#include "spool/view.h"

#include <algorithm>

#include "daemon/base/error.h"
#include "daemon/base/text.h"
#include "spool/payload.h"
#include "spool/recovery.h"
#include "spool/view_picture.h"

namespace hikyaku::spool {

using mail::MailId;
using mail::SourceError;
using mail::SourceErrorKind;

namespace {

constexpr int kMostMoves = 20;
constexpr std::size_t kMostReasons = 4096;  // a few hundred bytes each
constexpr std::size_t kMaxOpenFiles = 64;

std::unexpected<SourceError> damaged_part(MailId id, std::string_view what) {
  return fail(SourceErrorKind::damaged, cat(what, " of mail ", to_text(id), " is damaged"));
}

}  // namespace

Result<View, ViewError> View::open(Disk& disk, std::optional<MailId> only) {
  auto picture = take_picture(disk, only);
  if (!picture) return std::unexpected(picture.error());
  return View(disk, only, std::move(*picture));
}

std::vector<MailId> View::ids() const {
  std::vector<MailId> ids;
  ids.reserve(picture_.index.size());
  for (const mail::QueueEntry& entry : picture_.index.entries()) ids.push_back(entry.id);
  return ids;
}

std::vector<MailId> View::ids_after(MailId id, std::size_t limit) const {
  return picture_.index.ids_after(id, limit);
}

std::vector<Glance> View::glances_after(MailId id, std::size_t limit) const {
  std::vector<Glance> glances;
  for (const auto& [mail, entry] : picture_.index.after(id, limit))
    glances.push_back({mail, entry->size, entry->next_wait, entry->held != 0, facts_of(*entry)});
  return glances;
}

mail::CommonReasonPtr View::reason_of(const Glance& glance) {
  auto known = reasons_.find(glance.facts.reason);
  if (known != reasons_.end()) return known->second;
  mail::CommonReasonPtr reason = mail::make_common_reason("", "");
  if (glance.facts.reason != 0) {
    auto mail = load(glance.id);
    if (!mail) return nullptr;
    const mail::Progress& progress = mail->mail.progress;
    if (mail::reason_code(progress.reason, progress.smarthost) != glance.facts.reason) return nullptr;
    reason = mail::make_common_reason(progress.reason, progress.smarthost);
  }
  if (reasons_.size() >= kMostReasons) reasons_.clear();
  return reasons_.emplace(glance.facts.reason, std::move(reason)).first->second;
}

// What cannot be read where it was may have moved, or ended: a new picture tells. Only what cannot be read
// where it still is, is damaged. A large body leaves no trace in the segments that were read when it goes.
template <class T>
Result<T, SourceError> View::look_up(MailId id,
                                     const std::function<Result<T, SourceError>(IndexEntry)>& look) {
  for (int tries = 0;; ++tries) {
    const IndexEntry* entry = picture_.index.find(id);
    if (entry == nullptr)
      return fail(SourceErrorKind::unknown_mail, cat("there is no mail ", to_text(id), " in the queue"));
    IndexEntry place = *entry;
    auto found = look(place);
    bool may_be_elsewhere = has_moved(place) || (place.large && tries == 0);
    if (found || !may_be_elsewhere) return found;
    if (tries == kMostMoves)
      return fail(SourceErrorKind::read_failed,
                  cat("mail ", to_text(id), " moves faster than it can be read"));
    auto renewed = renew();
    if (!renewed) return fail(SourceErrorKind::read_failed, renewed.error().text);
  }
}

bool View::has_moved(const IndexEntry& entry) const {
  auto was_reused = [&](Place place) {
    return place.segment != 0 && !is_unchanged(*disk_, segment(place.segment));
  };
  return was_reused(entry.message) || was_reused(entry.progress);
}

Result<void, ViewError> View::renew() {
  files_.clear();
  picture_ = {};  // two at a time would be twice the memory
  auto picture = take_picture(*disk_, only_);
  if (!picture) return std::unexpected(picture.error());
  picture_ = std::move(*picture);
  return {};
}

const FoundSegment& View::segment(SegmentNumber number) const {
  auto found = std::ranges::lower_bound(picture_.log.in_use, number, {},
                                        [](const FoundSegment& seen) { return seen.header.number; });
  bool is_there = found != picture_.log.in_use.end() && found->header.number == number;
  check(is_there, "an index speaks of segments that were seen");
  return *found;
}

StoredAt View::at(MailId id, RecordType type, Place place) const {
  return {place, picture_.index.segment(place.segment)->seed, id, type};
}

Result<DiskFile*, SourceError> View::file_of(SegmentNumber number) {
  auto known = files_.find(number);
  if (known != files_.end()) return known->second.get();
  if (files_.size() == kMaxOpenFiles) files_.clear();
  auto file = disk_->open_for_reading(segment(number).path);
  if (!file) return std::unexpected(to_source_error(file.error()));
  return files_.emplace(number, std::move(*file)).first->second.get();
}

Result<StoredHead, SourceError> View::head_at(MailId id, RecordType type, Place place) {
  auto file = file_of(place.segment);
  if (!file) return std::unexpected(file.error());
  return read_head(**file, at(id, type, place));
}

Result<ViewedMail, SourceError> View::load(MailId id) {
  return look_up<ViewedMail>(id, [&](const IndexEntry& entry) { return load_at(id, entry); });
}

Result<ViewedMail, SourceError> View::load_at(MailId id, const IndexEntry& entry) {
  auto stored = head_at(id, RecordType::message, entry.message);
  if (!stored) return std::unexpected(stored.error());
  auto folded = stored->header.folded ? decode_folded_head(stored->head) : std::nullopt;
  auto head = folded ? std::move(folded->message) : decode_message_head(stored->head);
  if (!head) return damaged_part(id, "the envelope");
  mail::Progress progress = folded ? std::move(folded->progress) : mail::Progress{};
  progress.recipients.resize(head->envelope.recipients.size());
  ViewedMail mail{{id, std::move(head->envelope), std::move(progress), head->arrival, entry.size},
                  stored->header.wall};
  if (entry.progress.segment == 0) return mail;
  auto added = add_progress(mail, entry.progress);
  if (!added) return std::unexpected(added.error());
  return mail;
}

Result<void, SourceError> View::add_progress(ViewedMail& mail, Place place) {
  auto stored = head_at(mail.mail.id, RecordType::progress, place);
  if (!stored) return std::unexpected(stored.error());
  auto progress = decode_progress(stored->head);
  bool fits = progress && progress->recipients.size() == mail.mail.envelope.recipients.size();
  if (!fits) return damaged_part(mail.mail.id, "the progress");
  mail.mail.progress = std::move(*progress);
  mail.written = stored->header.wall;
  return {};
}

// The contents of a reused or damaged segment are not known any more.
std::vector<PastProgress> View::history() {
  std::vector<PastProgress> all;
  for (auto [type, place] : picture_.history) {
    auto stored = head_at(*only_, type, place);
    if (!stored) continue;
    auto folded = decode_folded_head(stored->head);
    auto progress = type == RecordType::progress ? decode_progress(stored->head) : std::nullopt;
    if (folded && type == RecordType::message) progress = std::move(folded->progress);
    if (progress) all.push_back({stored->header.wall, std::move(*progress)});
  }
  return all;
}

Result<void, SourceError> View::read_content(MailId id, const Take& take) {
  auto content = find_content(id);
  if (!content) return std::unexpected(content.error());
  if (content->large != nullptr) return read_large(*content->large, content->header, take);
  take(content->bytes);
  return {};
}

Result<void, SourceError> View::verify_content(MailId id) {
  auto content = find_content(id);
  if (!content) return std::unexpected(content.error());
  return {};
}

Result<View::Verified, SourceError> View::find_content(MailId id) {
  return look_up<Verified>(id, [&](const IndexEntry& entry) { return content_at(id, entry); });
}

Result<View::Verified, SourceError> View::content_at(MailId id, const IndexEntry& entry) {
  if (entry.large) return large_at(id, entry.message);
  auto file = file_of(entry.message.segment);
  if (!file) return std::unexpected(file.error());
  auto content = spool::read_content(**file, at(id, RecordType::message, entry.message), entry.size);
  if (!content) return std::unexpected(content.error());
  return Verified{std::move(*content), nullptr, {}};
}

Result<View::Verified, SourceError> View::large_at(MailId id, Place place) {
  auto head = head_at(id, RecordType::message, place);
  if (!head) return std::unexpected(head.error());
  auto file = disk_->open_for_reading(large_path(id));
  if (!file) return std::unexpected(to_source_error(file.error()));
  auto verified = read_large(**file, head->header, [](std::string_view) { return true; });
  if (!verified) return std::unexpected(verified.error());
  return Verified{{}, std::move(*file), head->header};
}

bool View::has_large_body(MailId id) const {
  const IndexEntry* entry = picture_.index.find(id);
  return entry != nullptr && entry->large;
}

std::vector<SegmentStatistics> View::statistics() const {
  std::map<SegmentNumber, std::uint64_t> live;
  for (MailId id : ids()) {
    const IndexEntry& entry = *picture_.index.find(id);
    live[entry.message.segment] += record_length(entry.message.head_length, entry.large ? 0 : entry.size);
    live[entry.progress.segment] += record_length(entry.progress.head_length, 0);
  }
  std::vector<SegmentStatistics> all;
  for (std::size_t i = 0; i < picture_.log.in_use.size(); ++i) {
    const auto& [path, header, file_size] = picture_.log.in_use[i];
    const SeenRecords& seen = picture_.records[i];
    std::uint64_t alive = live[header.number];
    all.push_back({header.number, path, header.size, seen.count, alive, seen.bytes - alive, seen.has_footer,
                   seen.damage});
  }
  return all;
}

}  // namespace hikyaku::spool
