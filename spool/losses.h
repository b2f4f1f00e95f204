// SPDX-License-Identifier: MIT
// Collects the damage that recovery finds, and judges what it means: the mail of a broken MESSAGE may have
// ended long ago, or have a copy at the head of the log; a broken PROGRESS may have a successor. This is
// known only when the whole log has been read. Used by recovery, on the pool.
#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "spool/damage.h"
#include "spool/index.h"
#include "spool/segment.h"

namespace hikyaku::spool {

class Losses {
 public:
  void note(DamageReport report) { reports_.push_back({std::move(report), 0, 0, false}); }
  // A broken record at that place; before the segment's intact ones are seen.
  void note_record(DamageReport report, SegmentNumber segment, std::uint64_t offset);
  // An intact record, in the order of the log.
  void see(SegmentNumber segment, const FooterEntry& record);

  // Whether a MESSAGE, or records of unknown mails, are lost: a large body without a record may belong to
  // them.
  bool may_orphan_bodies() const;
  // When the index holds the whole log.
  std::vector<DamageReport> judge(const Index& index) &&;

 private:
  struct Noted {
    DamageReport report;
    SegmentNumber segment = 0;
    std::uint64_t offset = 0;
    bool has_successor = false;  // a later record says at least as much
  };
  static Loss judge(const Noted& noted, const Index& index);

  std::vector<Noted> reports_;
  std::multimap<mail::MailId, std::size_t> by_id_;  // of those about a record
};

}  // namespace hikyaku::spool
