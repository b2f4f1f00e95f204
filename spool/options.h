// SPDX-License-Identifier: MIT
// The options for opening a spool, and how opening can fail. Plain values.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "daemon/base/bytes.h"
#include "daemon/base/clock.h"
#include "daemon/base/defaults.h"
#include "daemon/base/error.h"
#include "daemon/mail/mail_id.h"

namespace hikyaku::spool {

enum class CommitterMode : std::uint8_t {
  thread,          // a thread of its own commits; libuv's pool does the rest
  inline_on_loop,  // everything runs on the loop's thread, in an order that depends on the calls alone:
                   // a batch is what was submitted in one turn of the loop. For the simulated disk
};

struct SpoolOptions {
  ByteSize min_free = defaults::kMinFree;          // below it new mail is refused with `no_space`
  ByteSize segment_size = defaults::kSegmentSize;  // of new segments; 64 KiB to 1 GiB, a multiple of 4 KiB
  ByteSize memory =
      defaults::kMemory;  // for bodies in transit, in both directions, envelopes and the cache (budget.h)
  CommitterMode committer = CommitterMode::thread;
};

enum class SpoolErrorKind {
  locked,         // another daemon holds it
  cannot_create,  // a directory or the first segment
  cannot_read,    // what is there cannot be listed or read
  io,             // writing or flushing failed
  wrong_format,   // a later format, or not ours
};
using SpoolError = Error<SpoolErrorKind>;

// How long the log's flushes took, as a histogram: writing a batch and flushing it, for which everybody in it waits.
struct FlushTimes {
  static constexpr std::array<Duration, 15> kBounds{100us, 200us, 500us, 1ms,   2ms, 5ms, 10ms, 20ms,
                                                    50ms,  100ms, 200ms, 500ms, 1s,  2s,  5s};

  void add(Duration took) {
    const auto bound = std::ranges::lower_bound(kBounds, took);
    ++counts[static_cast<std::size_t>(bound - kBounds.begin())];
    sum += took;
  }

  std::array<std::uint64_t, kBounds.size() + 1>
      counts{};  // above the bound before and up to this one; the last: longer
  Duration sum{0};
};

// Since the spool was opened.
struct SpoolCounters {
  std::uint64_t records = 0;  // made durable
  std::uint64_t batches = 0;  // one pwritev (or more, where IOV_MAX demands it) each
  std::uint64_t flushes = 0;  // fdatasync of a segment by the committer
  std::uint64_t bytes = 0;    // of durable records
  FlushTimes flush_times{};
};

// What the spool takes up now.
struct SpoolUse {
  std::uint64_t segments = 0;
  std::uint64_t bytes = 0;       // of the segments
  std::uint64_t live_bytes = 0;  // of queued mails' records
  std::uint64_t free_bytes = 0;  // of the disk, when it was last looked at; 0: it does not answer
  std::uint64_t memory = 0;      // of SpoolOptions::memory
  std::uint64_t memory_limit = 0;
  mail::MailId oldest{};  // of the queued mails; 0: there are none
};

}  // namespace hikyaku::spool
