// SPDX-License-Identifier: MIT
#include "spool/damage_watch.h"

#include "spool/examine.h"

namespace hikyaku::spool {

void DamageWatch::note_record(StoredAt at) {
  if (is_new(at.id, at.type)) nursery_.spawn(examine(at, false));
}

void DamageWatch::note_large_body(StoredAt message) {
  if (is_new(message.id, message.type)) nursery_.spawn(examine(message, true));
}

void DamageWatch::report(const DamageReport& report) {
  bool is_known = report.record && !is_new(report.record->id, report.record->type);
  if (!is_known && on_damage_) on_damage_(report);
}

Task<void> DamageWatch::examine(StoredAt at, bool body) {
  DamageReport report;
  co_await workers_.run([&] {
    report = body ? examine_large_body(disk_, quarantine_, at) : examine_record(disk_, quarantine_, at);
  });
  if (on_damage_) on_damage_(report);
}

}  // namespace hikyaku::spool
