// SPDX-License-Identifier: MIT
// Whether the spool's disk has room for new mail, asked on the pool about once a second while mail comes in,
// or while it has to be refused, and not by the loop. Also notices that the spool's directory has gone. What
// a mail finds in between is at most a second old; if it is wrong, the write fails, and the client is told so
// then. Loop thread.
#pragma once

#include <cstdint>
#include <optional>

#include "daemon/io/loop.h"
#include "daemon/io/nursery.h"
#include "daemon/mail/mail_sink.h"
#include "spool/disk.h"
#include "spool/options.h"
#include "spool/workers.h"

namespace hikyaku::spool {

class SpaceWatch {
 public:
  SpaceWatch(io::Loop& loop, Disk& disk, Workers& workers, const SpoolOptions& options);

  // Why a message of that size (0: unknown) cannot be taken now. Does not suspend.
  std::optional<mail::SinkError> reason_to_refuse(std::uint64_t size);
  Task<void> close();

 private:
  std::optional<mail::SinkError> judge(std::uint64_t size) const;
  void look_again();
  Task<void> watch();
  Task<void> look();

  io::Loop& loop_;
  Disk& disk_;
  Workers& workers_;
  const SpoolOptions& options_;
  Result<DiskSpace, DiskError> seen_;
  Instant seen_at_;
  bool is_watching_ = false;
  io::Cancel cancel_;
  io::Nursery nursery_;
};

}  // namespace hikyaku::spool
