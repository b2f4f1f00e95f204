// SPDX-License-Identifier: MIT
// Copies of damaged files in corrupt/, for people; no code reads them. The same damage is copied once,
// however often it is met, and the copies are limited, so that they cannot fill the disk. Blocking: pool or
// recovery only.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "daemon/base/mutex.h"
#include "spool/damage.h"
#include "spool/disk.h"
#include "spool/stored.h"

namespace hikyaku::spool {

inline constexpr std::size_t kMaxCopies = 64;

// Copies the file to corrupt/, durably, unless the same bytes are there under its name; "log/x" becomes
// "corrupt/log-x", "corrupt/log-x.2" where another content has that name. An error where the copy would leave
// less than `min_free` bytes of the disk, where kMaxCopies are there, and where parts of the file cannot be
// read (they are zeros in the copy): `path` is then still needed.
Result<void, DiskError> keep_copy(Disk& disk, std::string_view path, std::uint64_t min_free);

// The same for a spool at work: each file is copied once in a run, however much of it turns out damaged. Any
// thread.
class Quarantine {
 public:
  Quarantine(Disk& disk, std::uint64_t min_free) : disk_(disk), min_free_(min_free) {}
  Result<void, DiskError> keep(const std::string& path);

 private:
  Disk& disk_;
  std::uint64_t min_free_;
  Mutex mutex_;  // one copy at a time
  std::set<std::string> kept_ GUARDED_BY(mutex_);
};

// What a report says of something that turned out damaged when a spool at work read it, with a copy of the
// file in corrupt/ by then. Blocking: pool only.

DamageReport examine_record(Disk& disk, Quarantine& quarantine, const StoredAt& at);
// `message`: where the record stands that names it.
DamageReport examine_large_body(Disk& disk, Quarantine& quarantine, const StoredAt& message);

}  // namespace hikyaku::spool
