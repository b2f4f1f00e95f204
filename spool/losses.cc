// SPDX-License-Identifier: MIT
#include "spool/losses.h"

#include <algorithm>

namespace hikyaku::spool {
namespace {

// A MESSAGE is replaced by its copy or made void by the end; a PROGRESS by all that comes after it; nothing
// comes after a DONE.
bool replaces(RecordType later, RecordType broken) {
  return later != RecordType::progress || broken == RecordType::progress;
}

}  // namespace

void Losses::note_record(DamageReport report, SegmentNumber segment, std::uint64_t offset) {
  by_id_.emplace(report.record->id, reports_.size());
  reports_.push_back({std::move(report), segment, offset, false});
}

void Losses::see(SegmentNumber segment, const FooterEntry& record) {
  auto [first, last] = by_id_.equal_range(record.id);
  for (; first != last; ++first) {
    Noted& noted = reports_[first->second];
    bool is_later = segment != noted.segment || record.offset > noted.offset;
    if (is_later && replaces(record.type, noted.report.record->type)) noted.has_successor = true;
  }
}

bool Losses::may_orphan_bodies() const {
  return std::ranges::any_of(reports_, [](const Noted& noted) {
    const auto& record = noted.report.record;
    return record ? record->large : noted.report.loss == Loss::whatever;
  });
}

Loss Losses::judge(const Noted& noted, const Index& index) {
  const auto& record = noted.report.record;
  if (!record) return noted.report.loss;
  bool is_queued = index.find(record->id) != nullptr;
  switch (record->type) {
    case RecordType::message: return is_queued || noted.has_successor ? Loss::nothing : Loss::mail;
    case RecordType::progress: return is_queued && !noted.has_successor ? Loss::progress : Loss::nothing;
    case RecordType::done: return is_queued ? Loss::end : Loss::nothing;
  }
  return Loss::whatever;
}

std::vector<DamageReport> Losses::judge(const Index& index) && {
  std::vector<DamageReport> judged;
  for (Noted& noted : reports_) {
    noted.report.loss = judge(noted, index);
    judged.push_back(std::move(noted.report));
  }
  return judged;
}

}  // namespace hikyaku::spool
