// SPDX-License-Identifier: MIT
// The lanes in their order: the first that is not paused takes the mail. Answers whose turn it is, keeps the
// time that counts for mail that waits, and logs how the smarthosts fare. Knows lanes and no mail; a lane
// knows nothing of the route, which only wakes it. The loop's thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/log/mail_log.h"
#include "daemon/relay/log_lines.h"
#include "smtpc/lane.h"

namespace hikyaku::relay {

// How long mail has been waiting through no fault of ours: the time during which the route was down does not
// count towards lifetime and delay notice.
class RouteClock {
 public:
  explicit RouteClock(Instant now) : seen_(now) {}
  // To be called whenever the route may have changed, and at least once an hour: the time since the last call
  // counts if the route was up then, and at most one hour of it, so that no jump counts.
  void update(Instant now, bool is_up);
  Duration time() const { return time_; }

 private:
  Instant seen_;
  bool was_up_ = true;
  Duration time_{0};
};

class Route {
 public:
  using Lanes = std::vector<std::shared_ptr<smtpc::Lane>>;

  // Both outlive the route.
  Route(io::Loop& loop, log::MailLog& log);

  // Replaces the lanes. The earlier ones finish what is under way and take no more mail.
  void configure(Lanes lanes);
  const Lanes& lanes() const { return lanes_; }
  // Some mail may be due now, or may be taken by another lane than before.
  void wake();
  // Smarthosts that are paused are probed at once.
  void probe_paused();
  // The lanes take no more mail; what is under way may finish.
  void retire();
  // Breaks off what is under way too, on the lanes of earlier configurations as well.
  void stop();
  // Forgets the lanes. None may be running.
  void clear() { lanes_.clear(); }

  // A paused lane takes mail only for its probe; of the others the first one does.
  bool is_turn_of(const smtpc::Lane& lane) const;
  // No lane is up.
  bool is_paused() const { return first_up() == nullptr; }
  // Empty if the route has no smarthost of this name (any more).
  std::string host_of(const std::string& smarthost) const;

  // The route's time, as of the last update_clock().
  Duration time() const { return clock_.time(); }
  void update_clock() { clock_.update(loop_.now(), is_up()); }

  // A lane of this or an earlier configuration has been paused, is up again, or is paused for another reason.
  void note_change(const smtpc::Lane& lane, const Backlog& backlog);
  // Once a day: a line for each smarthost that stays paused. To be called at least once an hour.
  void remind(const Backlog& backlog);

 private:
  const smtpc::Lane* first_up() const;
  bool is_up() const;
  void log_state(const smtpc::Lane& lane, const Backlog& backlog);

  io::Loop& loop_;
  log::MailLog& log_;
  Lanes lanes_;
  std::vector<std::weak_ptr<smtpc::Lane>> retired_;  // of earlier configurations
  RouteClock clock_;
  Instant last_reminder_;
};

}  // namespace hikyaku::relay
