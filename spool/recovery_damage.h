// SPDX-License-Identifier: MIT
// What recovery does about damage: keeps copies in corrupt/, sets aside what is no part of the spool, and
// gathers the reports. Never stops a start: what cannot be copied is left where it is, and the report says
// so. Recovery's; on the pool.
#pragma once

#include <string>
#include <vector>

#include "spool/found_segments.h"
#include "spool/losses.h"
#include "spool/scan.h"

namespace hikyaku::spool {

class RecoveryDamage {
 public:
  RecoveryDamage(Disk& disk, std::uint64_t min_free) : disk_(disk), min_free_(min_free) {}

  // Copies and removes it; at least, it gets a name that no segment can need.
  void set_aside(const Alien& alien);
  void note_missing(SegmentNumber number);
  // `closed`: what a later segment's header says of this one; its number is 0 if none does. False if there is
  // damage and no copy of it could be kept.
  bool note_scan(const FoundSegment& segment, const Scan& scan, const ClosedSegment& closed);
  // A file in large/ that no record names. False if it may be damage's only trace and no copy could be kept.
  bool note_unnamed(const std::string& path);

  void see(SegmentNumber number, const FooterEntry& record) { losses_.see(number, record); }
  std::vector<DamageReport> judge(const Index& index) { return std::move(losses_).judge(index); }

 private:
  bool keep(const std::string& path, DamageReport& report);
  void note_cut(DamageReport report, const FoundSegment& segment, const Scan& scan,
                const ClosedSegment& closed);
  void note_unknown(DamageReport report, const std::vector<Hole>& damage);
  void note_record(DamageReport report, SegmentNumber number, const Hole& hole);

  Disk& disk_;
  std::uint64_t min_free_;
  Losses losses_;
};

}  // namespace hikyaku::spool
