// SPDX-License-Identifier: MIT
#include "spool/damage_watch.h"

#include "spool/quarantine.h"

namespace hikyaku::spool {

void DamageWatch::set_on_damage(std::function<void(const DamageReport&)> on_damage) {
  on_damage_ = std::move(on_damage);
  for (const DamageReport& report : std::exchange(untold_, {})) on_damage_(report);
}

void DamageWatch::note_record(StoredAt at) {
  if (is_new(at.id, at.type)) nursery_.spawn(examine(at, false));
}

void DamageWatch::note_large_body(StoredAt message) {
  if (is_new(message.id, message.type)) nursery_.spawn(examine(message, true));
}

void DamageWatch::report(const DamageReport& report) {
  bool is_known = report.record && !is_new(report.record->id, report.record->type);
  if (!is_known) tell(report);
}

Task<void> DamageWatch::examine(StoredAt at, bool body) {
  DamageReport report = co_await workers_.run([&] {
    return body ? examine_large_body(disk_, quarantine_, at) : examine_record(disk_, quarantine_, at);
  });
  tell(report);
}

// Copying begins at the start, before a listener can have been set.
void DamageWatch::tell(const DamageReport& report) {
  if (on_damage_)
    on_damage_(report);
  else
    untold_.push_back(report);
}

}  // namespace hikyaku::spool
