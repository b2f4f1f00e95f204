// SPDX-License-Identifier: MIT
// One connection of a lane, from dialling to its end: mail after mail, the next one's commands with the final
// dot of the one before. The lane owns the health, the rate and the work; a link asks it for mail and reports
// results. The loop's thread.
#pragma once

#include <memory>
#include <optional>

#include "daemon/io/loop.h"
#include "smtpc/client.h"
#include "smtpc/lane_work.h"

namespace hikyaku::smtpc {

class Lane;

class LaneLink final : private OpeningObserver {
 public:
  // `probes`: the link begins as a probe of a paused smarthost. `round`: that of the lane's health at the
  // beginning. `lane` outlives the link.
  LaneLink(Lane& lane, bool probes, unsigned round) : lane_(lane), probes_(probes), round_(round) {}
  LaneLink(const LaneLink&) = delete;

  // Dials, logs in, delivers mail while there is some, and says QUIT. Once.
  Task<void> run();
  // Breaks off what is under way.
  void cancel() { cancel_.request(); }

  bool is_before_greeting() const { return is_before_greeting_; }
  bool is_opening() const { return opening_; }  // no mail can go yet
  bool is_busy() const { return busy_; }        // with a mail
  bool probes() const { return probes_; }
  unsigned round() const { return round_; }

 private:
  void greeted(const mail::Reply& greeting) override;
  Task<bool> open();
  Task<Result<void, Refusal>> dial();
  void tell_dialled(const Result<void, Refusal>& opened) const;
  void opening_failed(const Refusal& refusal);
  ClientContext context();
  bool may_take() const;
  Task<bool> next();
  Preference preference() const;
  Task<std::optional<Consignment>> following();
  Task<bool> wait_for_work();
  Consignment consignment(const Job& job) const;
  DotHooks hooks();
  Task<void> deliver(JobPtr job);
  mail::DialoguePtr tell_of_failure(const TransactionResult& result);
  UsedConnection used_connection() const;

  Lane& lane_;
  io::Cancel cancel_;
  bool is_before_greeting_ = true;
  bool opening_ = true;
  bool busy_ = false;
  const bool probes_;
  const unsigned round_;
  std::unique_ptr<Client> client_;
  JobPtr next_;     // the mail whose commands travel with the final dot of the one before
  TicketPtr last_;  // the flush of the latest outcome
  unsigned messages_ = 0;
};

}  // namespace hikyaku::smtpc
