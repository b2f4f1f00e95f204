// SPDX-License-Identifier: MIT
// Damage that a spool at work meets: each record's is examined and reported once in a run, however often
// somebody tries to read it. Loop thread; the examining is done on the pool.
#pragma once

#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "daemon/io/nursery.h"
#include "spool/damage.h"
#include "spool/quarantine.h"
#include "spool/stored.h"
#include "spool/workers.h"

namespace hikyaku::spool {

class DamageWatch {
 public:
  DamageWatch(Disk& disk, Workers& workers, Quarantine& quarantine, io::Nursery& nursery)
      : disk_(disk), workers_(workers), quarantine_(quarantine), nursery_(nursery) {}

  // Hears at once of what has been met before.
  void set_on_damage(std::function<void(const DamageReport&)> on_damage);

  // These return at once.
  void note_record(StoredAt at);
  void note_large_body(StoredAt message);
  // Examined already.
  void report(const DamageReport& report);

 private:
  void tell(const DamageReport& report);
  bool is_new(mail::MailId id, RecordType type) { return noted_.emplace(id, type).second; }
  Task<void> examine(StoredAt at, bool body);

  Disk& disk_;
  Workers& workers_;
  Quarantine& quarantine_;
  io::Nursery& nursery_;
  std::function<void(const DamageReport&)> on_damage_;
  std::vector<DamageReport> untold_;
  std::set<std::pair<mail::MailId, RecordType>> noted_;
};

}  // namespace hikyaku::spool
