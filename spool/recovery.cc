// SPDX-License-Identifier: MIT
#include "spool/recovery.h"

#include <algorithm>
#include <charconv>

#include "daemon/base/random.h"
#include "daemon/base/text.h"
#include "spool/found_segments.h"
#include "spool/recovery_damage.h"

namespace hikyaku::spool {
namespace {

std::unexpected<SpoolError> cannot(SpoolErrorKind kind, const DiskError& error) {
  return fail(kind, error.text);
}

class Recovery {
 public:
  Recovery(Disk& disk, const SpoolOptions& options)
      : disk_(disk), options_(options), damage_(disk, options.min_free.bytes), replay_(disk, damage_) {}

  Result<Recovered, SpoolError> run() {
    auto made = make_directories(disk_);
    if (!made) return cannot(SpoolErrorKind::cannot_create, made.error());
    auto done = take_stock();
    if (done) done = replay_all();
    if (done) done = look_at_large();
    if (!done) return std::unexpected(done.error());
    choose_spool_id();
    out_.closed = replay_.take_closed();
    out_.unclosed = replay_.take_unclosed();
    out_.unbroken = replay_.unbroken();
    out_.reports = damage_.judge(out_.index);
    return std::move(out_);
  }

 private:
  Result<void, SpoolError> take_stock() {
    auto found = find_segments(disk_);
    if (!found) return std::unexpected(found.error());
    for (const std::string& path : found->unfinished) (void)disk_.unlink(path);
    segments_ = std::move(found->segments);
    report_missing(found->aliens);
    for (const Alien& alien : found->aliens) damage_.set_aside(alien);
    auto named = give_right_names(disk_, segments_);
    if (!named) return cannot(SpoolErrorKind::io, named.error());
    for (const FoundSegment& segment : segments_) note_header(segment.header);
    return {};
  }

  void note_header(const SegmentHeader& header) {
    out_.next_number = std::max(out_.next_number, header.number + 1);
    out_.highest_id = std::max(out_.highest_id, header.highest_id);
    for (const ClosedSegment& closed : header.closed)
      out_.next_number = std::max(out_.next_number, closed.number + 1);
    replay_.note_predecessors(header);
  }

  void report_missing(const std::vector<Alien>& aliens) {
    for (SegmentNumber number : missing_segments(segments_)) {
      std::string path = segment_path(number);
      bool is_there = std::ranges::find(aliens, path, &Alien::path) != aliens.end();  // and reported as such
      if (!is_there) damage_.note_missing(number);
    }
  }

  Result<void, SpoolError> replay_all() {
    for (const FoundSegment& segment : segments_) {
      Result<void, SpoolError> done;
      if (segment.header.state == SegmentState::in_use)
        done = replay(segment);
      else
        keep_spare(segment);
      if (!done) return done;
    }
    return {};
  }

  // A prepared segment has no acknowledged record, a free one none at all. Two are enough: one for this run,
  // and one in reserve.
  void keep_spare(const FoundSegment& segment) {
    bool is_wanted = segment.header.size == options_.segment_size.bytes &&
                     segment.file_size == segment.header.size && out_.spares.size() < 2;
    (is_wanted ? out_.spares : out_.surplus).push_back(segment.path);
  }

  Result<void, SpoolError> replay(const FoundSegment& segment) {
    const SegmentHeader& header = segment.header;
    auto records = replay_.read(segment);
    if (!records) return std::unexpected(records.error());
    out_.index.add_segment(header.number, segment_seed(header), header.size);
    apply(header.number, *records);
    out_.newest = records->entries.empty() ? header.created : records->newest;
    return {};
  }

  void apply(SegmentNumber number, const Footer& footer) {
    for (const FooterEntry& entry : footer.entries) {
      out_.index.apply(number, entry);
      damage_.see(number, entry);
    }
    out_.highest_id = std::max(out_.highest_id, footer.highest_id);
  }

  // Only after the whole log is known can anyone say that no record names a body.
  Result<void, SpoolError> look_at_large() {
    auto names = disk_.list("large");
    if (!names) return cannot(SpoolErrorKind::cannot_read, names.error());
    for (const std::string& name : *names) {
      auto id = id_in(name);
      if (!id) continue;
      const IndexEntry* mail = out_.index.find(*id);
      bool is_unnamed = mail == nullptr || !mail->large;
      if (is_unnamed && damage_.note_unnamed(large_path(*id))) out_.unnamed.push_back(*id);
      out_.highest_id = std::max(out_.highest_id, *id);
    }
    return {};
  }

  // A number that no id can have reached is not believed: the ids would run out.
  static std::optional<mail::MailId> id_in(const std::string& name) {
    constexpr std::uint64_t kBeyond = std::uint64_t{1} << 62;
    std::uint64_t value = 0;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value, 16);
    bool is_id = error == std::errc{} && name.size() == 16 && end == name.data() + name.size();
    if (!is_id || value >= kBeyond) return std::nullopt;
    return mail::MailId{value};
  }

  void choose_spool_id() {
    if (segments_.empty())
      fill_random(out_.spool);
    else
      out_.spool = segments_.front().header.spool;
  }

  Disk& disk_;
  const SpoolOptions& options_;
  std::vector<FoundSegment> segments_;
  RecoveryDamage damage_;
  Replay replay_;
  Recovered out_;
};

// A file that was cut off gets its length back: the ring counts on blocks that have been written.
Result<void, DiskError> make_whole(DiskFile& file, const SegmentHeader& header) {
  auto size = file.size();
  if (!size) return std::unexpected(size.error());
  if (*size >= header.size) return {};
  auto filled = fill_with_zeros(file, *size, header.size);
  if (!filled) return filled;
  return write_segment_header(file, header.size, encode_segment_header(header));
}

}  // namespace

Result<Recovered, SpoolError> recover(Disk& disk, const SpoolOptions& options) {
  return Recovery(disk, options).run();
}

void tidy_up(Disk& disk, const Recovered& recovered) {
  for (const Unclosed& segment : recovered.unclosed) {
    auto file = disk.open_for_writing(segment_path(segment.header.number));
    if (file && make_whole(**file, segment.header))
      (void)write_footer(**file, segment.footer, segment.header.size, segment_seed(segment.header));
  }
  for (const std::string& path : recovered.surplus) (void)disk.unlink(path);
  for (mail::MailId id : recovered.unnamed) (void)disk.unlink(large_path(id));
}

Result<void, DiskError> make_directories(Disk& disk) {
  bool made = false;
  for (std::string_view name : {"log", "large"}) {
    auto done = disk.make_directory(name);
    if (!done && done.error().kind != std::errc::file_exists) return done;
    made = made || done;
  }
  return made ? disk.sync_directory("") : Result<void, DiskError>();
}

std::string large_path(mail::MailId id) { return cat("large/", segment_path(id.value).substr(4)); }

}  // namespace hikyaku::spool
