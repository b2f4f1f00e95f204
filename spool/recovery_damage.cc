// SPDX-License-Identifier: MIT
#include "spool/recovery_damage.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "spool/quarantine.h"

namespace hikyaku::spool {
namespace {

DamageReport report_of(std::string file, std::string reason, Loss loss = Loss::none) {
  DamageReport report;
  report.file = std::move(file);
  report.reason = std::move(reason);
  report.loss = loss;
  return report;
}

std::string damaged_bytes(std::uint64_t bytes) {
  return cat("has ", std::to_string(bytes), " damaged bytes");
}

std::vector<Hole> damage_in(const Scan& scan) {
  std::vector<Hole> damage = scan.holes;
  std::erase_if(damage, [](const Hole& hole) { return !hole.is_damage; });
  return damage;
}

}  // namespace

void RecoveryDamage::set_aside(const Alien& alien) {
  DamageReport report = report_of(alien.path, alien.reason, alien.loss);
  if (keep(alien.path, report))
    (void)disk_.unlink(alien.path);
  else if (!alien.path.ends_with(kSetAside))
    (void)disk_.rename(alien.path, unused_name(disk_, alien.path, kSetAside));
  losses_.note(std::move(report));
}

void RecoveryDamage::note_missing(SegmentNumber number) {
  losses_.note(report_of(segment_path(number), "is missing", Loss::whatever));
}

bool RecoveryDamage::note_scan(const FoundSegment& segment, const Scan& scan, const ClosedSegment& closed) {
  std::vector<Hole> damage = damage_in(scan);
  bool is_cut_off = segment.file_size < segment.header.size;
  if (damage.empty() && !is_cut_off) return true;
  DamageReport report = report_of(segment.path, "");
  bool is_kept = keep(segment.path, report);
  if (is_cut_off) note_cut(report, segment, scan, closed);
  note_unknown(report, damage);
  for (const Hole& hole : damage)
    if (hole.record) note_record(report, segment.header.number, hole);
  return is_kept;
}

// The records behind the cut are not known, unless everything that was ever valid is still there.
void RecoveryDamage::note_cut(DamageReport report, const FoundSegment& segment, const Scan& scan,
                              const ClosedSegment& closed) {
  report.reason = cat("was cut off behind ", std::to_string(segment.file_size), " bytes");
  bool is_all_there = closed.number != 0 && closed.valid_length <= scan.valid_length;
  report.loss = is_all_there ? Loss::none : Loss::whatever;
  losses_.note(std::move(report));
}

void RecoveryDamage::note_unknown(DamageReport report, const std::vector<Hole>& damage) {
  std::uint64_t bytes = 0;
  for (const Hole& hole : damage) bytes += hole.record ? 0 : hole.end - hole.begin;
  if (bytes == 0) return;
  report.reason = damaged_bytes(bytes);
  report.loss = Loss::whatever;
  losses_.note(std::move(report));
}

void RecoveryDamage::note_record(DamageReport report, SegmentNumber number, const Hole& hole) {
  report.reason = damaged_bytes(hole.end - hole.begin);
  report.record = hole.record;
  losses_.note_record(std::move(report), number, hole.begin);
}

// Where records are broken, one of them may have named it.
bool RecoveryDamage::note_unnamed(const std::string& path) {
  if (!losses_.may_orphan_bodies()) return true;
  DamageReport report = report_of(path, "is named by no record that is left");
  bool is_kept = keep(path, report);
  losses_.note(std::move(report));
  return is_kept;
}

// The report says whether there is a copy now.
bool RecoveryDamage::keep(const std::string& path, DamageReport& report) {
  auto kept = keep_copy(disk_, path, min_free_);
  report.copy = kept ? Copy::made : Copy::failed;
  if (!kept) report.copy_error = kept.error().text;
  return kept.has_value();
}

}  // namespace hikyaku::spool
