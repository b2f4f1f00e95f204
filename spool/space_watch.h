// SPDX-License-Identifier: MIT
// Whether the spool's disk takes new mail: checked on the pool about once a second while mail comes in or has
// to be refused. Also notices that the spool's directory is gone. A mail gets an answer that is at most a
// second old; if that was wrong, its write fails, which is noted here too. Trouble is reported when it
// begins, once a day while it lasts, and when it has been over for a few seconds, so that an intermittent one
// is reported once. Loop thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>

#include "daemon/io/loop.h"
#include "daemon/io/nursery.h"
#include "daemon/mail/mail_sink.h"
#include "spool/disk.h"
#include "spool/options.h"
#include "spool/trouble.h"
#include "spool/workers.h"

namespace hikyaku::spool {

class SpaceWatch {
 public:
  // `takes_mail` says whether the log has a place for new mail again, after an append has failed.
  SpaceWatch(io::Loop& loop, Disk& disk, Workers& workers, const SpoolOptions& options,
             std::function<bool()> takes_mail);

  // Why a message of that size (0: unknown) cannot be taken now. Does not suspend.
  std::optional<mail::SinkError> reason_to_refuse(std::uint64_t size);
  // The same for a notice of our own: min_free is not kept from it.
  std::optional<mail::SinkError> reason_to_refuse_notice();

  // The result of a write into the log, or to a large body's file.
  enum class Part : std::uint8_t { log, large };
  void note_failure(Part part, const DiskError& error);
  void note_success(Part part) { failure(part).reset(); }

  // Why new mail is refused, as of the last check.
  std::optional<Trouble> trouble() const;
  // As of the last check; 0: the disk did not answer.
  std::uint64_t free_bytes() const { return seen_ ? seen_->free_bytes : 0; }
  // Checks the disk if the last check is more than a second old. Returns when that is done, or at once.
  void look_again();
  Task<void> looked(io::Until until);
  // nullopt means that the trouble is over. Called at once if there is trouble already.
  using OnTrouble = std::function<void(const std::optional<Trouble>&)>;
  void set_on_trouble(OnTrouble on_trouble);
  Task<void> close();

 private:
  std::optional<DiskError>& failure(Part part) { return failures_[static_cast<std::size_t>(part)]; }
  std::optional<Trouble> judge(std::uint64_t size) const;
  bool is_old() const;
  void see(Result<DiskSpace, DiskError> now);
  void begin_to_watch();
  Task<void> watch();
  Task<void> look();
  Task<void> try_again();
  void tell_of_trouble();
  void tell_of_end();

  io::Loop& loop_;
  Disk& disk_;
  Workers& workers_;
  const SpoolOptions& options_;
  std::function<bool()> takes_mail_;
  Result<DiskSpace, DiskError> seen_;
  Instant seen_at_;
  std::array<std::optional<DiskError>, 2> failures_;  // by Part
  OnTrouble on_trouble_;
  std::optional<TroubleKind> reported_;  // and its end not yet
  Instant told_at_;
  int calm_wanted_ = 0;  // checks without trouble until it counts as over
  Instant ended_at_;
  bool is_watching_ = false;
  io::Event has_looked_;
  io::Cancel cancel_;
  io::Nursery nursery_;
};

}  // namespace hikyaku::spool
