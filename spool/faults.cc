// SPDX-License-Identifier: MIT
#include "spool/faults.h"

#ifdef HIKYAKU_FAULTS

#include <atomic>
#include <cstdlib>
#include <string_view>

#include "daemon/base/error.h"

namespace hikyaku::spool {
namespace {

struct Named {
  std::string_view name;
  Fault fault;
};
constexpr Named kNames[] = {
    {"no_flush_before_250", Fault::no_flush_before_250},
    {"no_fsync_log_dir", Fault::no_fsync_log_dir},
    {"no_fsync_large_dir", Fault::no_fsync_large_dir},
    {"done_with_bounce", Fault::done_with_bounce},
    {"append_to_old_segment", Fault::append_to_old_segment},
    {"checksum_without_key", Fault::checksum_without_key},
    {"retry_failed_flush_on_same_segment", Fault::retry_failed_flush_on_same_segment},
    {"free_out_of_order", Fault::free_out_of_order},
    {"free_before_copies_are_flushed", Fault::free_before_copies_are_flushed},
    {"no_fsync_log_dir_on_recycle", Fault::no_fsync_log_dir_on_recycle},
    {"footer_without_checksum", Fault::footer_without_checksum},
};

// A misspelt fault must not pass for one that the tests failed to notice.
Fault from_environment() {
  const char* name = std::getenv("HIKYAKU_FAULT");
  if (name == nullptr || *name == '\0') return Fault::none;
  Fault fault = fault_by_name(name);
  check(fault != Fault::none, "HIKYAKU_FAULT names no fault");
  return fault;
}

std::atomic<Fault>& injected() {
  static std::atomic<Fault> fault{from_environment()};
  return fault;
}

}  // namespace

bool is_injected(Fault fault) { return injected().load(std::memory_order_relaxed) == fault; }
void inject(Fault fault) { injected() = fault; }

Fault fault_by_name(std::string_view name) {
  for (const Named& named : kNames)
    if (named.name == name) return named.fault;
  return Fault::none;
}

}  // namespace hikyaku::spool

#endif
