// SPDX-License-Identifier: MIT
#include "spool/recovery.h"

#include <algorithm>
#include <charconv>
#include <unordered_set>

#include "daemon/base/random.h"
#include "daemon/base/text.h"
#include "spool/faults.h"
#include "spool/scan.h"

namespace hikyaku::spool {
namespace {

struct Found {
  std::string path;
  SegmentHeader header;
};

std::unexpected<SpoolError> cannot(SpoolErrorKind kind, const DiskError& error) {
  return fail(kind, error.text);
}

class Recovery {
 public:
  Recovery(Disk& disk, const SpoolOptions& options) : disk_(disk), options_(options) {}

  Result<Recovered, SpoolError> run() {
    auto made = make_directories(disk_);
    if (!made) return cannot(SpoolErrorKind::cannot_create, made.error());
    auto done = find_segments();
    if (done) done = replay_all();
    if (done) done = look_at_large();
    if (!done) return std::unexpected(done.error());
    choose_spool_id();
    return std::move(out_);
  }

 private:
  Result<void, SpoolError> find_segments() {
    auto names = disk_.list("log");
    if (!names) return cannot(SpoolErrorKind::cannot_read, names.error());
    for (const std::string& name : *names) {
      auto done = look_at(cat("log/", name));
      if (!done) return done;
    }
    for (const std::string& path : unfinished_) (void)disk_.unlink(path);
    for (const std::string& path : unreadable_) {
      auto done = set_aside(path, "has no readable header; all that was in it is lost");
      if (!done) return done;
    }
    auto named = name_strays();
    std::ranges::sort(found_, {}, [](const Found& segment) { return segment.header.number; });
    return named;
  }

  // The name is only a hint; what counts is the header. Changes nothing yet: a later format may be among
  // them.
  Result<void, SpoolError> look_at(const std::string& path) {
    if (path.ends_with(".new")) {
      unfinished_.push_back(path);
      return {};
    }
    auto file = disk_.open_for_reading(path);
    if (!file) return cannot(SpoolErrorKind::cannot_read, file.error());
    DecodedHeader decoded = read_segment_header(**file);
    if (decoded.verdict == HeaderVerdict::later_format)
      return fail(SpoolErrorKind::wrong_format, cat(path, " was written by a later version of hikyaku"));
    if (decoded.verdict == HeaderVerdict::unreadable) {
      unreadable_.push_back(path);
      return {};
    }
    note_number(decoded.header);
    bool is_stray = path != segment_path(decoded.header.number);
    (is_stray ? strays_ : found_).push_back({path, std::move(decoded.header)});
    return {};
  }

  // Two files may have each other's names: all go out of the way first. A cut in between leaves strays again.
  Result<void, SpoolError> name_strays() {
    for (Found& stray : strays_) {
      std::string aside = cat(stray.path, stray.path.ends_with(".stray") ? "" : ".stray");
      auto renamed = disk_.rename(stray.path, aside);
      if (!renamed) return cannot(SpoolErrorKind::io, renamed.error());
      stray.path = std::move(aside);
    }
    for (Found& stray : strays_) {
      auto done = name_stray(stray);
      if (!done) return done;
    }
    return {};
  }

  Result<void, SpoolError> name_stray(Found& stray) {
    std::string path = segment_path(stray.header.number);
    if (disk_.open_for_reading(path))
      return set_aside(stray.path, "is a second file with one segment's header");
    auto renamed = disk_.rename(stray.path, path);
    if (renamed) renamed = disk_.sync_directory("log");
    if (!renamed) return cannot(SpoolErrorKind::io, renamed.error());
    stray.path = std::move(path);
    found_.push_back(std::move(stray));
    return {};
  }

  void note_number(const SegmentHeader& header) {
    out_.next_number = std::max(out_.next_number, header.number + 1);
    out_.highest_id = std::max(out_.highest_id, header.highest_id);
    for (const ClosedSegment& closed : header.closed)
      out_.next_number = std::max(out_.next_number, closed.number + 1);
  }

  Result<void, SpoolError> set_aside(const std::string& path, std::string_view why) {
    report(path, why);
    auto copied = copy_to_corrupt(disk_, path);
    if (!copied) return cannot(SpoolErrorKind::io, copied.error());
    (void)disk_.unlink(path);
    return {};
  }

  void report(std::string_view path, std::string_view what) {
    out_.reports.push_back(cat("spool damage: ", path, " ", what, "; a copy is in corrupt/"));
  }

  Result<void, SpoolError> replay_all() {
    for (const Found& segment : found_)
      for (const ClosedSegment& closed : segment.header.closed) closed_[closed.number] = closed;
    for (const Found& segment : found_) {
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
  void keep_spare(const Found& segment) {
    bool is_wanted = segment.header.size == options_.segment_size.bytes && out_.spares.size() < 2;
    (is_wanted ? out_.spares : out_.surplus).push_back(segment.path);
  }

  Result<void, SpoolError> replay(const Found& segment) {
    auto file = disk_.open_for_writing(segment.path);
    if (!file) return cannot(SpoolErrorKind::cannot_read, file.error());
    const SegmentHeader& header = segment.header;
    out_.index.add_segment(header.number, segment_seed(header), header.size);
    auto footer = read_footer(**file, header);
    if (!footer) {
      auto scanned = scan(segment, **file);
      if (!scanned) return std::unexpected(scanned.error());
      footer = std::move(*scanned);
      out_.unclosed.push_back({header, *footer});
    }
    note_closed(header.number, footer->valid_length);
    apply(header.number, *footer);
    out_.newest = footer->entries.empty() ? header.created : footer->newest;
    return {};
  }

  // What a killed process has written stands in the page cache and not yet on the disk: it is flushed before
  // anything is built on it.
  Result<Footer, SpoolError> scan(const Found& segment, DiskFile& file) {
    auto flushed = file.flush();
    if (!flushed) return cannot(SpoolErrorKind::io, flushed.error());
    SegmentNumber number = segment.header.number;
    Scan scan = scan_segment(file, segment.header, closed_[number]);
    closed_[number].flushed = scan.flushed;
    out_.unbroken = scan.unbroken;
    out_.highest_id = std::max(out_.highest_id, scan.highest_id);
    auto reported = report_damage(segment.path, scan);
    if (!reported) return std::unexpected(reported.error());
    return Footer{scan.valid_length, scan.newest, scan.highest_id, std::move(scan.entries)};
  }

  Result<void, SpoolError> report_damage(const std::string& path, const Scan& scan) {
    std::string lost;
    std::uint64_t bytes = 0;
    for (const Hole& hole : scan.holes) {
      if (!hole.is_damage) continue;
      bytes += hole.end - hole.begin;
      if (hole.id.value != 0) lost += cat(lost.empty() ? ", of mail " : " ", to_text(hole.id));
    }
    if (bytes == 0) return {};
    report(path, cat("has ", std::to_string(bytes), " damaged bytes", lost));
    auto copied = copy_to_corrupt(disk_, path);
    if (!copied) return cannot(SpoolErrorKind::io, copied.error());
    return {};
  }

  void note_closed(SegmentNumber number, std::uint64_t length) {
    auto known = closed_.find(number);
    out_.closed.push_back({number, length, known == closed_.end() ? length : known->second.flushed});
    if (out_.closed.size() > kMaxClosed) out_.closed.erase(out_.closed.begin());
  }

  void apply(SegmentNumber number, const Footer& footer) {
    for (const FooterEntry& entry : footer.entries) out_.index.apply(number, entry);
    out_.highest_id = std::max(out_.highest_id, footer.highest_id);
  }

  // Only after the whole log is known can anyone say that no record names a body.
  Result<void, SpoolError> look_at_large() {
    auto names = disk_.list("large");
    if (!names) return cannot(SpoolErrorKind::cannot_read, names.error());
    for (const std::string& name : *names) {
      std::uint64_t value = 0;
      auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value, 16);
      const IndexEntry* mail = out_.index.find({value});
      bool is_ours = error == std::errc{} && name.size() == 16;
      if (is_ours && (mail == nullptr || !mail->large)) out_.unnamed.push_back({value});
      if (is_ours) out_.highest_id = std::max(out_.highest_id, mail::MailId{value});
    }
    return {};
  }

  void choose_spool_id() {
    if (found_.empty())
      fill_random(out_.spool);
    else
      out_.spool = found_.back().header.spool;
  }

  Disk& disk_;
  const SpoolOptions& options_;
  std::vector<Found> found_;
  std::vector<Found> strays_;
  std::vector<std::string> unfinished_;
  std::vector<std::string> unreadable_;
  std::map<SegmentNumber, ClosedSegment> closed_;  // what is known of the segments before the newest
  Recovered out_;
};

}  // namespace

Result<Recovered, SpoolError> recover(Disk& disk, const SpoolOptions& options) {
  return Recovery(disk, options).run();
}

void tidy_up(Disk& disk, const Recovered& recovered) {
  for (const Unclosed& segment : recovered.unclosed) {
    auto file = disk.open_for_writing(segment_path(segment.header.number));
    if (file) (void)write_footer(**file, segment.footer, segment.header.size, segment_seed(segment.header));
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
