// SPDX-License-Identifier: MIT
// The lanes of all routes from a reload to the next one, those to recipients' domains from their first mail on.
// Logs how the smarthosts fare. Knows which mail is due on a route, but nothing else of mail. The loop's thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/config/settings.h"
#include "daemon/log/mail_log.h"
#include "daemon/relay/destinations.h"
#include "daemon/relay/log_lines.h"
#include "daemon/relay/route_table.h"

namespace hikyaku::relay {

class Routes {
 public:
  // Both outlive the routes.
  Routes(io::Loop& loop, log::MailLog& log);

  // Replaces the lanes, and the routes if they are others now (RouteTable::configure). The earlier lanes finish
  // what is under way and take no more mail. `make_lane` makes those to recipients' domains.
  void configure(const config::Settings& settings, std::vector<LanePtr> lanes, MakeLane make_lane);
  RouteTable& table() { return table_; }
  const RouteTable& table() const { return table_; }
  Destinations& destinations() { return destinations_; }
  const Destinations& destinations() const { return destinations_; }
  // Empty if there is no smarthost of this name (any more).
  std::string host_of(const std::string& smarthost) const;
  void update_clocks() { table_.update_clocks(loop_.now(), !destinations_.trouble()); }

  // Mail is about to be due on the route: makes a lane to its destination. If that was out of reach a moment
  // ago, and there is no other way, returns how long the mail is to wait instead.
  std::optional<Duration> furnish(const RoutePtr& route);
  // The lane of a destination has been paused: it is retired, and with `rests` not made again for a moment.
  // Returns the routes that have no lane left.
  std::vector<RoutePtr> give_up(const smtpc::Lane& lane, bool rests = true);
  // Retires lanes of destinations that have nothing to do, in favour of those that wait for one, and now and then
  // forgets their routes. To be called after each outcome: what it costs does not depend on how many wait.
  void sweep();

  // Some mail may be due now, or may be taken by another lane than before.
  void wake();
  // So many daemons share the connections of each lane.
  void share(unsigned nodes);
  // Smarthosts that are paused are probed at once.
  void probe_paused();
  // The lanes take no more mail; what is under way may finish.
  void retire();
  // Breaks off what is under way too, on the lanes of earlier configurations as well.
  void stop();
  // Forgets the lanes. None may be running.
  void clear();

  // A lane of this or an earlier configuration has been paused, is up again, or is paused for another reason.
  void note_change(const smtpc::Lane& lane, const Backlog& backlog);
  // Once a day: a line for each smarthost that stays paused. To be asked at least once an hour.
  bool owes_reminder() const;
  void remind(const Backlog& backlog);

 private:
  std::vector<LanePtr> all_lanes() const;
  void forget_ended_lanes();
  bool is_idle(const smtpc::Lane& lane) const;
  void note_waiting(const RoutePtr& route);
  void look_at_all_routes();
  void log_state(const smtpc::Lane& lane, const Backlog& backlog);

  io::Loop& loop_;
  log::MailLog& log_;
  RouteTable table_;
  Destinations destinations_;
  std::deque<RoutePtr> waiting_;  // mail is due there, but there were too many lanes
  Instant next_look_at_all_{};
  std::vector<std::weak_ptr<smtpc::Lane>> retired_;  // of earlier configurations, and to earlier destinations
  Instant last_reminder_;
};

}  // namespace hikyaku::relay
