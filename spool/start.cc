// SPDX-License-Identifier: MIT
#include "spool/start.h"

#include <algorithm>
#include <utility>

#include "spool/faults.h"
#include "spool/journal.h"

namespace hikyaku::spool {
namespace {

// A mail that came into larger segments must fit when it is copied, with some room for its progress to grow.
std::uint64_t fitting_segment_size(const Index& index, std::uint64_t wanted) {
  std::uint64_t largest_segment = wanted;
  for (const auto& [number, segment] : index.segments())
    largest_segment = std::max(largest_segment, segment.size);
  if (largest_segment == wanted) return wanted;
  std::uint64_t needed = 2 * kBlock + kFooterTrailer + kFooterShare + index.largest_mail();
  if (needed <= wanted) return wanted;
  return std::min(2 * needed / kBlock * kBlock, largest_segment);
}

// On a full disk a start must reuse a segment. What recovery has seen is durable, so a segment in which no
// mail lives is not needed, provided that a younger one still has the ids.
Result<SegmentFile, DiskError> turn_dead_oldest(Disk& disk, SegmentHeader header, Index& index) {
  SegmentNumber oldest = index.oldest_segment();
  const SegmentInfo* segment = index.segment(oldest);
  bool is_free = index.segments().size() > 1 && segment->live == 0 && segment->size == header.size;
  if (!is_free) return fail(std::errc::no_space_on_device, "no segment can be turned over");
  index.remove_segment(oldest);
  header.oldest = index.oldest_segment();
  return recycle_segment(disk, segment_path(oldest), header);
}

Result<SegmentFile, DiskError> new_segment(Disk& disk, const SpoolOptions& options, Recovered& recovered) {
  SegmentHeader header;
  header.number = recovered.next_number;
  header.size = options.segment_size.bytes;
  header.spool = recovered.spool;
  header.oldest = recovered.index.oldest_segment();
  while (!recovered.spares.empty()) {
    std::string path = std::move(recovered.spares.front());
    recovered.spares.erase(recovered.spares.begin());
    auto made = recycle_segment(disk, path, header);
    if (made) return made;
    recovered.surplus.push_back(std::move(path));
  }
  auto made = prepare_segment(disk, header);
  if (made || !is_disk_full(made.error())) return made;
  auto turned = turn_dead_oldest(disk, header, recovered.index);
  return turned ? std::move(turned) : std::move(made);
}

// After this flush, bytes behind the valid lengths in the header are never read again.
Result<SegmentFile, DiskError> open_own_segment(Disk& disk, const SpoolOptions& options, Started& started,
                                                WallTime now) {
  auto segment = new_segment(disk, options, started.recovered);
  if (!segment) return segment;
  SegmentHeader& header = segment->header;
  header.state = SegmentState::in_use;
  header.highest_id = started.ids.highest();
  header.oldest = started.recovered.index.oldest_segment();
  header.created = now;
  header.closed = started.recovered.closed;
  auto done = write_segment_header(*segment->file, header.size, encode_segment_header(header));
  if (done) done = segment->file->flush();
  if (!done) return std::unexpected(done.error());
  return segment;
}

// Fault::append_to_old_segment.
std::shared_ptr<OpenSegment> reopen_newest(Disk& disk, Recovered& recovered) {
  if (recovered.unclosed.empty()) return nullptr;
  Unclosed newest = std::move(recovered.unclosed.back());
  recovered.unclosed.pop_back();
  auto file = disk.open_for_writing(segment_path(newest.header.number));
  if (!file) return nullptr;
  auto segment = open_segment({std::move(*file), newest.header});
  segment->end = segment->flushed = recovered.unbroken;
  std::erase_if(newest.footer.entries,
                [&](const FooterEntry& entry) { return entry.offset >= recovered.unbroken; });
  segment->footer = std::move(newest.footer);
  return segment;
}

}  // namespace

Result<std::unique_ptr<DiskLock>, SpoolError> take_lock(Disk& disk) {
  auto lock = disk.lock("lock");
  if (lock) return std::move(*lock);
  bool is_held = lock.error().kind == std::errc::resource_unavailable_try_again;
  if (is_held) return fail(SpoolErrorKind::locked, "another daemon holds the spool");
  return fail(SpoolErrorKind::cannot_create, lock.error().text);
}

Result<Started, SpoolError> start(Disk& disk, SpoolOptions options, WallTime now) {
  auto lock = take_lock(disk);
  if (!lock) return std::unexpected(lock.error());
  auto recovered = recover(disk, options);
  if (!recovered) return std::unexpected(recovered.error());
  std::uint64_t segment_size = fitting_segment_size(recovered->index, options.segment_size.bytes);
  if (segment_size != options.segment_size.bytes)
    std::ranges::move(std::exchange(recovered->spares, {}), std::back_inserter(recovered->surplus));
  options.segment_size.bytes = segment_size;
  Ids ids(recovered->highest_id, now);
  Duration downtime = counted_downtime(recovered->newest, now);
  Started started{std::move(*lock), std::move(*recovered), ids, nullptr, downtime, segment_size};
  if (is_injected(Fault::append_to_old_segment)) started.first = reopen_newest(disk, started.recovered);
  if (started.first == nullptr) {
    auto segment = open_own_segment(disk, options, started, now);
    if (!segment) return fail(SpoolErrorKind::cannot_create, segment.error().text);
    started.first = open_segment(std::move(*segment));
  }
  tidy_up(disk, started.recovered);
  return started;
}

Duration counted_downtime(WallTime newest, WallTime now) {
  if (newest == WallTime()) return 0s;
  return std::clamp<Duration>(now - newest, 0s, 1h);
}

}  // namespace hikyaku::spool
