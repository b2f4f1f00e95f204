// SPDX-License-Identifier: MIT
#include "spool/spool.h"

#include <algorithm>
#include <utility>

#include "daemon/base/error.h"
#include "daemon/base/text.h"
#include "spool/core.h"
#include "spool/reader.h"
#include "spool/writer.h"

namespace hikyaku::spool {

using mail::MailId;
using mail::Progress;
using mail::QueuedMail;
using mail::QueueEntry;
using mail::SinkError;
using mail::SourceError;
using mail::SourceErrorKind;

namespace {

bool is_possible(std::uint64_t segment_size) {
  return segment_size >= kMinSegment.bytes && segment_size <= kMaxSegment.bytes && segment_size % kBlock == 0;
}

// The log needs a few segments at least: on a small disk they are smaller than asked for, a sixteenth of it
// at most.
SpoolOptions fitted(SpoolOptions options, Disk& disk) {
  auto space = disk.space();
  if (!space) return options;
  std::uint64_t most = space->total_bytes / 16 / kBlock * kBlock;
  options.segment_size.bytes = std::min(options.segment_size.bytes, std::max(most, kMinSegment.bytes));
  return options;
}

SourceError not_written(const DiskError& error) { return {SourceErrorKind::write_failed, error.text}; }

// If this record is lost, the mail is tried again too early; there is no other harm.
bool is_mere_deferral(const Progress& progress) {
  return std::ranges::all_of(progress.recipients, [](const mail::RecipientProgress& recipient) {
    return recipient.state == mail::RecipientState::pending;
  });
}

// Of what is stored of envelope and progress: as it is read, as values, as commands, and with what the
// replies make of it.
constexpr std::uint64_t kLoadedTimes = 5;
constexpr std::uint64_t kLoadedFixed = 2048;
constexpr std::uint64_t kMostLoaded = 16U << 10;  // of Share::loaded

class LoadedRoom final : public mail::MailRoom {
 public:
  explicit LoadedRoom(Reservation memory) : memory_(std::move(memory)) {}

 private:
  Reservation memory_;
};

std::unexpected<SourceError> damaged(MailId id, std::string_view what) {
  return fail(SourceErrorKind::damaged, cat("the ", what, " of mail ", to_text(id), " is damaged"));
}

// Envelope and progress as they stand in the message's record.
Task<Result<FoldedHead, SourceError>> load_message(Core& core, MailId id, const IndexEntry& entry) {
  CachedMailPtr cached = core.cache.find(id);
  if (cached != nullptr && !entry.folded)
    co_return FoldedHead{cached->head, mail::untouched_progress(cached->head.envelope.recipients.size())};
  auto stored = co_await core.stored_head(id, entry.message, RecordType::message);
  if (!stored) co_return std::unexpected(std::move(stored.error()));
  auto folded = entry.folded ? decode_folded_head(stored->head) : std::nullopt;
  if (folded) co_return std::move(*folded);
  auto plain = entry.folded ? std::nullopt : decode_message_head(stored->head);
  if (!plain) co_return damaged(id, "envelope");
  Progress progress = mail::untouched_progress(plain->envelope.recipients.size());
  co_return FoldedHead{std::move(*plain), std::move(progress)};
}

// Where the newest progress is damaged an older one must do: a mail that is tried again is better than one
// that never is.
Task<Result<FoldedHead, SourceError>> load_newest(Core& core, MailId id, IndexEntry entry) {
  auto head = co_await load_message(core, id, entry);
  if (!head || entry.progress.segment == 0) co_return head;
  auto stored = co_await core.stored_head(id, entry.progress, RecordType::progress);
  auto progress = stored ? decode_progress(stored->head) : std::nullopt;
  if (progress)
    head->progress = std::move(*progress);
  else if (!stored && stored.error().kind != SourceErrorKind::damaged)
    co_return std::unexpected(std::move(stored.error()));
  else if (!core.has_moved(id, entry))  // else it will be loaded again
    core.note_damage(core.at(id, entry.progress, RecordType::progress));
  co_return head;
}

}  // namespace

Spool::Spool(std::unique_ptr<Core> core) : core_(std::move(core)) {}
Spool::~Spool() = default;

Task<Result<std::unique_ptr<Spool>, SpoolError>> Spool::open(io::Loop& loop, Disk& disk,
                                                             SpoolOptions options) {
  check(is_possible(options.segment_size.bytes), "64 KiB to 1 GiB, a multiple of 4 KiB");
  WallTime now = loop.clock().wall();
  Workers workers(loop, options.committer);
  auto started = co_await workers.run([&] {
    options = fitted(options, disk);
    return start(disk, options, now);
  });
  if (!started) co_return std::unexpected(started.error());
  options.segment_size.bytes = started->segment_size;
  auto core = std::make_unique<Core>(loop, disk, options, std::move(*started));
  co_return std::unique_ptr<Spool>(new Spool(std::move(core)));
}

Task<void> Spool::close() {
  core_->is_closing = true;
  io::Woken drained = co_await core_->nursery.drained({});
  check(drained == io::Woken::ready, "removing large bodies ends by itself");
  co_await core_->space.close();
  co_await core_->journal.close();
  core_->lock.reset();
}

void Spool::set_on_damage(std::function<void(const DamageReport&)> on_damage) {
  core_->damage.set_on_damage(std::move(on_damage));
}

void Spool::set_on_arrival(OnArrival on_arrival) { core_->on_arrival = std::move(on_arrival); }

Result<void, SinkError> Spool::may_accept(std::uint64_t expected_size) {
  auto refusal = core_->reason_to_refuse(expected_size);
  if (refusal) return std::unexpected(std::move(*refusal));
  return {};
}

std::unique_ptr<mail::EnvelopeRoom> Spool::envelope_room() {
  return std::make_unique<SharedEnvelopeRoom>(core_->budget);
}

Result<std::unique_ptr<mail::MailWriter>, SinkError> Spool::begin() {
  auto refusal = core_->reason_to_refuse(0);
  if (refusal) return std::unexpected(std::move(*refusal));
  return std::make_unique<Writer>(*core_, core_->ids.assign(), RecordUse::new_mail);
}

Result<std::unique_ptr<mail::MailWriter>, SinkError> Spool::begin_notice(MailId) {
  auto refusal = core_->reason_to_refuse_notice();
  if (refusal) return std::unexpected(std::move(*refusal));
  return std::make_unique<Writer>(*core_, core_->ids.assign(), RecordUse::notice);
}

Result<std::unique_ptr<mail::MailWriter>, SinkError> Spool::begin_handed_over(
    const mail::Handover& handover) {
  auto refusal = core_->reason_to_refuse(0);
  if (refusal) return std::unexpected(std::move(*refusal));
  return std::make_unique<Writer>(*core_, core_->ids.assign(), RecordUse::new_mail, handover);
}

std::vector<QueueEntry> Spool::entries() const { return core_->index.entries(); }

Task<Result<std::shared_ptr<mail::MailRoom>, SourceError>> Spool::make_room(MailId id,
                                                                            mail::Patience patience) {
  const IndexEntry* entry = core_->index.find(id);
  if (entry == nullptr) co_return std::unexpected(core_->explain(id, {}));
  std::uint64_t stored = entry->message.head_length + entry->progress.head_length;
  Duration most = patience == mail::Patience::none ? Duration{0} : kMemoryTimeout;
  std::uint64_t bytes = kLoadedFixed + kLoadedTimes * stored;
  Share share = bytes <= kMostLoaded ? Share::loaded : Share::loaded_lists;
  auto memory = co_await core_->budget.reserve(share, bytes, most);
  if (!memory)
    co_return fail(SourceErrorKind::no_memory, "memory for mail in transit is used up (see `memory`)");
  co_return std::make_shared<LoadedRoom>(std::move(*memory));
}

Task<Result<QueuedMail, SourceError>> Spool::load(MailId id) {
  for (;;) {
    const IndexEntry* found = core_->index.find(id);
    if (found == nullptr) co_return std::unexpected(core_->explain(id, {}));
    IndexEntry entry = *found;
    auto head = co_await load_newest(*core_, id, entry);
    if (core_->has_moved(id, entry)) continue;
    if (!head)
      co_return std::unexpected(core_->explain_and_report_record(id, entry, std::move(head.error())));
    co_return QueuedMail{id,
                         std::move(head->message.envelope),
                         std::move(head->progress),
                         head->message.arrival,
                         entry.size,
                         nullptr};
  }
}

Result<std::unique_ptr<mail::ContentReader>, SourceError> Spool::open(MailId id) {
  if (core_->index.find(id) == nullptr) return std::unexpected(core_->explain(id, {}));
  return std::make_unique<Reader>(*core_, id);
}

Task<Result<mail::Recorded, SourceError>> Spool::record(MailId id, Progress progress, mail::MayGo) {
  if (core_->index.find(id) == nullptr) co_return std::unexpected(core_->explain(id, {}));
  NewRecord record;
  record.type = RecordType::progress;
  record.use = is_mere_deferral(progress) ? RecordUse::deferral : RecordUse::bookkeeping;
  record.id = id;
  record.head = encode_progress(progress, head_limit(core_->options.segment_size.bytes));
  auto done = co_await core_->append(std::move(record));
  if (!done) co_return std::unexpected(not_written(done.error()));
  co_return mail::Recorded::kept;
}

Task<Result<void, SourceError>> Spool::finish(MailId id) {
  const IndexEntry* entry = core_->index.find(id);
  if (entry == nullptr) co_return std::unexpected(core_->explain(id, {}));
  bool is_large = entry->large;
  NewRecord record;
  record.type = RecordType::done;
  record.id = id;
  auto done = co_await core_->append(std::move(record));
  if (!done) co_return std::unexpected(not_written(done.error()));
  core_->cache.drop(id);
  if (is_large) core_->remove_large(id);
  co_return {};
}

std::optional<Trouble> Spool::trouble() {
  core_->space.look_again();
  return core_->space.trouble();
}

Task<std::optional<Trouble>> Spool::trouble_now(io::Until until) {
  co_await core_->space.looked(until);
  co_return core_->space.trouble();
}

void Spool::set_on_trouble(std::function<void(const std::optional<Trouble>&)> on_trouble) {
  core_->space.set_on_trouble(std::move(on_trouble));
}
SpoolCounters Spool::counters() const { return core_->journal.counters(); }
SpoolUse Spool::use() const {
  const Index& index = core_->index;
  const std::vector<mail::MailId> oldest = index.ids_after({}, 1);
  return {.segments = index.segments().size(),
          .bytes = index.log_bytes(),
          .live_bytes = index.live_bytes(),
          .free_bytes = core_->space.free_bytes(),
          .memory = core_->budget.used(),
          .memory_limit = core_->options.memory.bytes,
          .oldest = oldest.empty() ? mail::MailId() : oldest.front()};
}
Duration Spool::downtime() const { return core_->downtime; }
const std::vector<DamageReport>& Spool::reports() const { return core_->reports; }

}  // namespace hikyaku::spool
