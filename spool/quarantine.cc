// SPDX-License-Identifier: MIT
#include "spool/quarantine.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "daemon/base/text.h"
#include "spool/recovery.h"

namespace hikyaku::spool {
namespace {

constexpr std::size_t kCopyPiece = 1U << 20;
constexpr std::string_view kUnfinished = "corrupt/unfinished";

std::string flat(std::string_view path) {
  std::string name(path);
  std::ranges::replace(name, '/', '-');
  return name;
}

Result<std::vector<std::string>, DiskError> existing_copies(Disk& disk) {
  auto made = disk.make_directory("corrupt");
  if (made) made = disk.sync_directory("");
  if (!made && made.error().kind != std::errc::file_exists) return std::unexpected(made.error());
  (void)disk.unlink(kUnfinished);  // of an attempt that ended early
  return disk.list("corrupt");
}

Result<bool, DiskError> is_same(DiskFile& a, DiskFile& b) {
  auto size = a.size(), other_size = b.size();
  if (!size || !other_size) return std::unexpected(size ? other_size.error() : size.error());
  if (*size != *other_size) return false;
  auto chunk = static_cast<std::size_t>(std::min<std::uint64_t>(kCopyPiece, *size));
  std::string left(chunk, '\0'), right(chunk, '\0');
  for (std::uint64_t at = 0; at < *size; at += chunk) {
    auto got = a.read(left, at);
    if (!got) return std::unexpected(got.error());
    auto other = b.read(right, at);
    if (!other) return std::unexpected(other.error());
    if (*got != *other || std::string_view(left).substr(0, *got) != std::string_view(right).substr(0, *got))
      return false;
  }
  return true;
}

// Parts of a damaged file that cannot be read (EIO) are zeros in its copy. False if there were any.
bool read_what_can_be_read(DiskFile& file, std::span<char> into, std::uint64_t offset) {
  constexpr std::size_t kPiece = 4096;
  std::ranges::fill(into, '\0');
  if (file.read(into, offset)) return true;
  for (std::size_t at = 0; at < into.size(); at += kPiece)
    (void)file.read(into.subspan(at, std::min(kPiece, into.size() - at)), offset + at);
  return false;
}

// Whether the copy is complete.
Result<bool, DiskError> write_copy(DiskFile& source, std::uint64_t size, DiskFile& target) {
  std::string chunk(static_cast<std::size_t>(std::min<std::uint64_t>(kCopyPiece, size)), '\0');
  bool is_whole = true;
  for (std::uint64_t at = 0; at < size; at += kCopyPiece) {
    auto length = static_cast<std::size_t>(std::min<std::uint64_t>(kCopyPiece, size - at));
    if (!read_what_can_be_read(source, std::span(chunk).first(length), at)) is_whole = false;
    auto written = write_all(target, std::string_view(chunk).substr(0, length), at);
    if (!written) return std::unexpected(written.error());
  }
  auto flushed = target.flush();
  if (!flushed) return std::unexpected(flushed.error());
  return is_whole;
}

Result<void, DiskError> has_room(Disk& disk, std::uint64_t size, std::uint64_t min_free) {
  auto space = disk.space();
  if (!space) return std::unexpected(space.error());
  if (space->free_bytes >= min_free && space->free_bytes - min_free >= size) return {};
  return fail(std::errc::no_space_on_device, "too little of the disk is free");
}

Result<void, DiskError> copy(Disk& disk, DiskFile& source, std::string_view to, std::uint64_t min_free) {
  auto size = source.size();
  if (!size) return std::unexpected(size.error());
  auto done = has_room(disk, *size, min_free);
  if (!done) return done;
  auto target = disk.create(kUnfinished);
  if (!target) return std::unexpected(target.error());
  auto is_whole = write_copy(source, *size, **target);
  if (is_whole)
    done = disk.rename(kUnfinished, to);
  else
    done = std::unexpected(is_whole.error());
  if (!done) (void)disk.unlink(kUnfinished);  // gives the room back
  if (done) done = disk.sync_directory("corrupt");
  if (done && !*is_whole) return fail(std::errc::io_error, "the file cannot be read in full");
  return done;
}

// A free name; nullopt if one of the copies is already the same.
Result<std::optional<std::string>, DiskError> free_name(Disk& disk, DiskFile& source, const std::string& name,
                                                        const std::vector<std::string>& copies) {
  for (std::size_t version = 1;; ++version) {
    std::string tried = version == 1 ? name : cat(name, ".", std::to_string(version));
    std::string path = cat("corrupt/", tried);
    if (!std::ranges::binary_search(copies, tried)) return path;
    auto copy = disk.open_for_reading(path);
    if (!copy) continue;
    auto same = is_same(source, **copy);
    if (same && *same) return std::nullopt;
  }
}

bool is_missing(Disk& disk, std::string_view path) {
  auto file = disk.open_for_reading(path);
  return !file && file.error().kind == std::errc::no_such_file_or_directory;
}

DamageReport report_of(Disk& disk, Quarantine& quarantine, std::string path, LostRecord record) {
  DamageReport report;
  report.loss = record.type == RecordType::message ? Loss::mail : Loss::progress;
  report.record = std::move(record);
  report.reason = is_missing(disk, path) ? "is missing" : "is damaged";
  if (report.reason != "is missing") {
    auto kept = quarantine.keep(path);
    report.copy = kept ? Copy::made : Copy::failed;
    if (!kept) report.copy_error = kept.error().text;
  }
  report.file = std::move(path);
  return report;
}

// The record up to its content, or as much of it as can be read.
std::string front_of(Disk& disk, const StoredAt& at) {
  std::string bytes(kRecordHeader + at.place.head_length, '\0');
  auto file = disk.open_for_reading(segment_path(at.place.segment));
  auto got = file ? (*file)->read(bytes, at.place.offset) : std::unexpected(file.error());
  bytes.resize(got ? *got : 0);
  return bytes;
}

LostRecord unknown_record(const StoredAt& at) {
  LostRecord record;
  record.type = at.type;
  record.id = at.id;
  return record;
}

}  // namespace

Result<void, DiskError> keep_copy(Disk& disk, std::string_view path, std::uint64_t min_free) {
  auto source = disk.open_for_reading(path);
  if (!source) return std::unexpected(source.error());
  auto copies = existing_copies(disk);
  if (!copies) return std::unexpected(copies.error());
  auto to = free_name(disk, **source, flat(path), *copies);
  if (!to) return std::unexpected(to.error());
  if (!*to) return {};
  if (copies->size() >= kMaxCopies)
    return fail(std::errc::no_space_on_device, cat(std::to_string(kMaxCopies), " copies are there already"));
  return copy(disk, **source, **to, min_free);
}

Result<void, DiskError> Quarantine::keep(const std::string& path) {
  Lock lock(mutex_);
  if (kept_.contains(path)) return {};
  auto kept = keep_copy(disk_, path, min_free_);
  if (kept) kept_.insert(path);
  return kept;
}

DamageReport examine_record(Disk& disk, Quarantine& quarantine, const StoredAt& at) {
  auto record = salvage(front_of(disk, at), at.seed, at.place.offset);
  bool is_the_one = record && record->id == at.id && record->type == at.type;
  return report_of(disk, quarantine, segment_path(at.place.segment),
                   is_the_one ? std::move(*record) : unknown_record(at));
}

DamageReport examine_large_body(Disk& disk, Quarantine& quarantine, const StoredAt& message) {
  LostRecord record = unknown_record(message);
  record.broken = BrokenPart::content;
  record.large = true;
  auto head = read_head(disk, message);
  if (head) record.envelope = envelope_in(head->header, head->head);
  return report_of(disk, quarantine, large_path(message.id), std::move(record));
}

}  // namespace hikyaku::spool
