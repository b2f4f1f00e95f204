// SPDX-License-Identifier: MIT
#include "spool/examine.h"

#include <utility>

#include "spool/recovery.h"

namespace hikyaku::spool {
namespace {

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
