// SPDX-License-Identifier: MIT
#include "spool/core.h"

#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::spool {

using mail::SinkError;
using mail::SinkErrorKind;
using mail::SourceError;
using mail::SourceErrorKind;

Core::Core(io::Loop& its_loop, Disk& its_disk, const SpoolOptions& its_options, Started started)
    : loop(its_loop),
      disk(its_disk),
      options(its_options),
      lock(std::move(started.lock)),
      ids(started.ids),
      index(std::move(started.recovered.index)),
      workers(loop, options.committer),
      space(loop, disk, workers, options, [this] { return journal.takes_new_mail(); }),
      budget(loop, options.memory.bytes, [this] { return cache.evict_oldest(); }),
      quarantine(disk, options.min_free.bytes),
      nursery(loop),
      damage(disk, workers, quarantine, nursery),
      journal(loop, disk, options, index, ids, std::move(started.first), started.recovered, quarantine,
              [this](const DamageReport& report) { give_up(report); }),
      reports(std::move(started.recovered.reports)),
      downtime(started.downtime) {}

std::optional<SinkError> Core::reason_to_refuse(std::uint64_t size) {
  if (is_closing) return SinkError{SinkErrorKind::shutting_down, "the spool is being closed"};
  return space.reason_to_refuse(size);
}

std::optional<SinkError> Core::reason_to_refuse_notice() {
  if (is_closing) return SinkError{SinkErrorKind::shutting_down, "the spool is being closed"};
  return space.reason_to_refuse_notice();
}

Task<Result<void, DiskError>> Core::append(NewRecord record) {
  bool is_message = record.type == RecordType::message;
  auto done = co_await journal.append(std::move(record));
  if (done && is_message) space.note_success(SpaceWatch::Part::log);
  bool is_disks_fault = !done && done.error().kind != std::errc::operation_canceled;
  if (is_disks_fault) space.note_failure(SpaceWatch::Part::log, done.error());
  co_return done;
}

Task<Result<void, SinkError>> Core::store(NewRecord record, std::shared_ptr<CachedMail> mail) {
  mail::MailId id = record.id;
  auto done = co_await append(std::move(record));
  if (!done) co_return std::unexpected(to_sink_error(done.error()));
  if (mail != nullptr) cache.put(id, std::move(mail));
  budget.reconsider();
  const IndexEntry* entry = index.find(id);
  if (entry != nullptr && on_arrival) on_arrival(to_queue_entry(id, *entry));
  co_return {};
}

StoredAt Core::at(mail::MailId id, Place place, RecordType type) const {
  const SegmentInfo* segment = index.segment(place.segment);
  return {place, segment == nullptr ? 0 : segment->seed, id, type};
}

SourceError Core::explain(mail::MailId id, SourceError error) const {
  if (index.find(id) != nullptr) return error;
  return {SourceErrorKind::unknown_mail, cat("mail ", to_text(id), " is not in the spool")};
}

SourceError Core::explain_and_report_record(mail::MailId id, const IndexEntry& entry, SourceError error) {
  error = explain(id, std::move(error));
  if (error.kind == SourceErrorKind::damaged) note_damage(at(id, entry.message, RecordType::message));
  return error;
}

SourceError Core::explain_and_report_body(mail::MailId id, const IndexEntry& entry, SourceError error) {
  error = explain(id, std::move(error));
  bool is_worth_it = error.kind == SourceErrorKind::damaged && !is_closing;
  if (is_worth_it) damage.note_large_body(at(id, entry.message, RecordType::message));
  return error;
}

void Core::note_damage(const StoredAt& at) {
  if (!is_closing) damage.note_record(at);
}

Task<Result<StoredHead, SourceError>> Core::stored_head(mail::MailId id, Place place, RecordType type) {
  return workers.run([this, where = at(id, place, type)] { return read_head(disk, where); });
}

bool Core::has_moved(mail::MailId id, const IndexEntry& entry) const {
  const IndexEntry* now = index.find(id);
  return now != nullptr && *now != entry;
}

void Core::give_up(const DamageReport& report) {
  damage.report(report);
  if (report.loss != Loss::mail) return;
  cache.drop(report.record->id);
  index.forget(report.record->id);
}

void Core::remove_large(mail::MailId id) {
  if (!is_closing) nursery.spawn(unlink_large(id));
}

Task<void> Core::unlink_large(mail::MailId id) {
  co_await workers.run([&] { (void)disk.unlink(large_path(id)); });
}

}  // namespace hikyaku::spool
