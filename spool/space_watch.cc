// SPDX-License-Identifier: MIT
#include "spool/space_watch.h"

#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::spool {

using mail::SinkError;
using mail::SinkErrorKind;

namespace {

constexpr Duration kMaxAge = 1s;
constexpr std::uint64_t kMinFreeInodes = 16;  // segments and large bodies; small mail needs none

}  // namespace

SpaceWatch::SpaceWatch(io::Loop& loop, Disk& disk, Workers& workers, const SpoolOptions& options)
    : loop_(loop),
      disk_(disk),
      workers_(workers),
      options_(options),
      seen_(disk.space()),
      seen_at_(loop.now()),
      nursery_(loop) {}

std::optional<SinkError> SpaceWatch::reason_to_refuse(std::uint64_t size) {
  look_again();
  return judge(size);
}

std::optional<SinkError> SpaceWatch::judge(std::uint64_t size) const {
  if (!seen_) {
    bool is_full = is_disk_full(seen_.error());
    return SinkError{is_full ? SinkErrorKind::no_space : SinkErrorKind::write_failed, seen_.error().text};
  }
  if (seen_->free_bytes < options_.min_free.bytes || seen_->free_bytes - options_.min_free.bytes < size)
    return SinkError{SinkErrorKind::no_space,
                     cat("less than ", to_text(options_.min_free), " is free on the spool's disk")};
  if (seen_->free_inodes < kMinFreeInodes)
    return SinkError{SinkErrorKind::no_space, "the spool's file system has no inodes left"};
  return std::nullopt;
}

// The simulated disk answers at once and is asked each time: what it does must depend on the calls alone.
void SpaceWatch::look_again() {
  if (options_.committer == CommitterMode::inline_on_loop) seen_ = disk_.space();
  if (is_watching_ || loop_.now() - seen_at_ < kMaxAge) return;
  is_watching_ = true;
  nursery_.spawn(watch());
}

// While mail is refused nobody may come and ask, and whoever does should not be told what has passed.
Task<void> SpaceWatch::watch() {
  co_await look();
  while (judge(0) && !cancel_.is_requested()) {
    co_await io::sleep_until(loop_, loop_.within(kMaxAge, &cancel_));
    co_await look();
  }
  is_watching_ = false;
}

Task<void> SpaceWatch::look() {
  Result<DiskSpace, DiskError> now;
  co_await workers_.run([&] { now = disk_.space(); });
  seen_ = std::move(now);
  seen_at_ = loop_.now();
}

Task<void> SpaceWatch::close() {
  cancel_.request();
  io::Woken drained = co_await nursery_.drained({});
  check(drained == io::Woken::ready, "watching the disk ends when it is told to");
}

}  // namespace hikyaku::spool
