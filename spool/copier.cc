// SPDX-License-Identifier: MIT
#include "spool/copier.h"

#include <algorithm>
#include <utility>

#include "daemon/io/nursery.h"
#include "spool/payload.h"
#include "spool/quarantine.h"
#include "spool/scan.h"
#include "spool/segment_file.h"
#include "spool/stored.h"

namespace hikyaku::spool {
namespace {

// A batch shares a flush; it is large enough for a slow disk, and small enough not to hold up a commit.
constexpr std::uint64_t kBatchBytes = 1U << 20;
constexpr std::size_t kBatchMails = 256;

using Entries = std::vector<std::pair<mail::MailId, std::uint32_t>>;

Entries messages_of(const std::vector<FooterEntry>& records) {
  Entries entries;
  for (const FooterEntry& record : records)
    if (record.type == RecordType::message) entries.emplace_back(record.id, record.offset);
  return entries;
}

// Empty if the segment's own records are unreadable.
std::optional<Entries> read_entries(Disk& disk, SegmentNumber number) {
  auto file = disk.open_for_reading(segment_path(number));
  if (!file) return std::nullopt;
  DecodedHeader decoded = read_segment_header(**file);
  if (decoded.verdict != HeaderVerdict::ok || decoded.header.number != number) return std::nullopt;
  auto footer = read_footer(**file, decoded.header);
  if (footer) return messages_of(footer->entries);
  return messages_of(scan_segment(**file, decoded.header, {}).entries);
}

struct Seeds {
  std::uint64_t message = 0;
  std::uint64_t progress = 0;
};

// The head of the copy: the message's own, and the newest progress behind it.
std::string fold(std::string head, std::string progress, std::size_t limit) {
  head.resize(message_head_length(head).value_or(head.size()));
  if (head.size() + progress.size() > limit) {
    auto decoded = decode_progress(progress);
    if (decoded) progress = encode_progress(*decoded, limit - head.size());
  }
  return head += progress;
}

NewRecord to_copy(mail::MailId id, const RecordHeader& header, std::string head) {
  NewRecord copy;
  copy.type = RecordType::message;
  copy.id = id;
  copy.head = std::move(head);
  copy.large = header.large;
  copy.content_length = header.content_length;
  copy.content_checksum = header.content_checksum;
  copy.wall = header.wall;
  return copy;
}

}  // namespace

Copier::Copier(io::Loop& loop, Disk& disk, const Index& index, Workers& workers, Quarantine& quarantine,
               std::size_t head_limit, Append append, OnDamage on_damage)
    : loop_(loop),
      disk_(disk),
      index_(index),
      workers_(workers),
      quarantine_(quarantine),
      head_limit_(head_limit),
      append_(std::move(append)),
      on_damage_(std::move(on_damage)) {}

Task<Copier::Step> Copier::step(SegmentNumber oldest) {
  if (segment_ != oldest) co_await list(oldest);
  Batch batch = next_batch();
  if (batch.empty()) co_return Step::stuck;
  bool is_read = co_await read(batch);
  if (!is_read) co_return Step::failed;
  Step step = co_await copy_all(std::move(batch));
  co_return step;
}

Task<void> Copier::list(SegmentNumber number) {
  auto entries = co_await workers_.run([&] { return read_entries(disk_, number); });
  segment_ = number;
  next_ = 0;
  entries_ = entries ? std::move(*entries) : index_.living_in(number);
}

// Some of a pass may have been changing just then: there is another pass. And what the segment does not list
// although the index knows it there, the index has to list.
Copier::Batch Copier::next_batch() {
  Batch batch = choose();
  if (batch.empty()) {
    next_ = 0;
    batch = choose();
  }
  const SegmentInfo* segment = index_.segment(segment_);
  if (!batch.empty() || segment == nullptr || segment->live == 0) return batch;
  entries_ = index_.living_in(segment_);
  next_ = 0;
  return choose();
}

Copier::Batch Copier::choose() {
  Batch batch;
  for (std::uint64_t bytes = 0; next_ < entries_.size(); ++next_) {
    auto [id, offset] = entries_[next_];
    const IndexEntry* entry = index_.find(id);
    bool is_alive = entry != nullptr && entry->message.segment == segment_ && entry->message.offset == offset;
    if (!is_alive) continue;
    bytes += live_bytes(*entry);
    if (!batch.empty() && (bytes > kBatchBytes || batch.size() == kBatchMails)) break;
    batch.push_back({id, *entry, {}, {}, {}, {}});
  }
  return batch;
}

// False if something cannot be read just now.
Task<bool> Copier::read(Batch& batch) {
  std::vector<Seeds> seeds;
  for (const Load& load : batch) {
    const SegmentInfo* progress = index_.segment(load.entry.progress.segment);
    seeds.push_back({index_.segment(segment_)->seed, progress == nullptr ? 0 : progress->seed});
  }
  co_await workers_.run([&] {
    for (std::size_t i = 0; i < batch.size(); ++i) read_one(batch[i], seeds[i].message, seeds[i].progress);
  });
  auto is_unreadable = [](const Load& load) {
    return load.error && load.error->kind != mail::SourceErrorKind::damaged;
  };
  if (std::ranges::any_of(batch, is_unreadable)) co_return false;
  report_damage(batch);
  std::erase_if(batch, [](const Load& load) { return load.error.has_value(); });
  co_return true;
}

void Copier::read_one(Load& load, std::uint64_t message_seed, std::uint64_t progress_seed) {
  StoredAt at{load.entry.message, message_seed, load.id, RecordType::message};
  auto stored = read_head(disk_, at);
  Result<std::string, mail::SourceError> content;
  if (stored && !stored->header.large) content = read_content(disk_, at, load.entry.size);
  if (!stored || !content) return note_error(load, at, (stored ? content.error() : stored.error()));
  auto progress = read_progress(load, progress_seed);
  load.record = to_copy(load.id, stored->header, std::move(stored->head));
  load.record.folded = stored->header.folded || progress;
  if (progress) {
    load.record.head = fold(std::move(load.record.head), std::move(progress->head), head_limit_);
    load.record.wall = progress->header.wall;
  }
  load.content = std::move(*content);
}

// The newest, where it stands beside the message. Where its record is damaged an older one must do: a mail
// that is tried again is better than one that is lost.
std::optional<StoredHead> Copier::read_progress(Load& load, std::uint64_t seed) {
  if (load.entry.progress.segment == 0) return std::nullopt;
  StoredAt at{load.entry.progress, seed, load.id, RecordType::progress};
  auto stored = read_head(disk_, at);
  if (stored) return std::move(*stored);
  note_error(load, at, stored.error());
  if (load.error->kind == mail::SourceErrorKind::damaged) load.error.reset();
  return std::nullopt;
}

void Copier::note_error(Load& load, const StoredAt& at, mail::SourceError error) {
  if (error.kind == mail::SourceErrorKind::damaged)
    load.damage.push_back(examine_record(disk_, quarantine_, at));
  load.error = std::move(error);
}

// Of a mail that has moved on meanwhile, what was read may have been another segment's bytes.
void Copier::report_damage(const Batch& batch) {
  for (const Load& load : batch) {
    const IndexEntry* entry = index_.find(load.id);
    if (entry == nullptr || *entry != load.entry) continue;
    for (const DamageReport& report : load.damage) on_damage_(report);
  }
}

Task<Copier::Step> Copier::copy_all(Batch batch) {
  if (batch.empty()) co_return Step::moved;
  moved_ = failed_ = without_room_ = 0;
  io::Nursery nursery(loop_);
  for (Load& load : batch) nursery.spawn(copy(std::move(load)));
  io::Woken woken = co_await nursery.drained({});
  check(woken == io::Woken::ready, "copying ends by itself");
  if (failed_ > 0) co_return Step::failed;
  if (without_room_ > 0) co_return Step::no_room;
  co_return moved_ > 0 ? Step::moved : Step::stuck;
}

Task<void> Copier::copy(Load load) {
  load.record.content = load.content;
  auto copied = co_await append_(std::move(load.record), load.entry);
  if (copied == Copied::moved) ++moved_;
  if (copied == Copied::failed) ++failed_;
  if (copied == Copied::no_room) ++without_room_;
}

}  // namespace hikyaku::spool
