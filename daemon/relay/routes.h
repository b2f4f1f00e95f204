// SPDX-License-Identifier: MIT
// All routes of a configuration, and the lanes in them. Answers which route a recipient's mail takes, and which
// routes a lane serves. Keeps the time that counts for mail that waits, and logs how the smarthosts fare. Knows
// which mail is due on a route, but nothing else of mail. The loop's thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/config/settings.h"
#include "daemon/log/mail_log.h"
#include "daemon/relay/destinations.h"
#include "daemon/relay/log_lines.h"
#include "daemon/relay/route.h"

namespace hikyaku::relay {

class Routes {
 public:
  // Both outlive the routes.
  Routes(io::Loop& loop, log::MailLog& log);

  // Whether configure() would change no more than the lanes.
  bool has_shape_of(const config::Settings& settings) const;
  // Replaces the lanes, and the routes if they are others now; then nothing may be due on the earlier ones
  // (take_due). The earlier lanes finish what is under way and take no more mail. `lanes`: one for each
  // smarthost but those that stand for the recipients' own servers; for these lanes are made as mail comes.
  void configure(const config::Settings& settings, const std::vector<LanePtr>& lanes, MakeLane make_lane);
  // Takes all that is due.
  std::vector<Entry> take_due();

  // All routes' time: that of the only one, or else it stands still while none is up.
  Duration time() const { return clock_->time(); }
  // The entry's time becomes one of this route's clock, or of all routes' and it looks for its way again.
  void enter(const Route& route, Entry& entry) const;
  void leave(Entry& entry) const;
  void leave(Entry& entry, const Route& route) const;

  // The only route, which takes all mail whatever its addresses; null if there are others.
  const RoutePtr& only() const { return only_; }
  // The route that mail from `sender` takes to `recipient`, and the number of that part of a mail.
  RoutePtr find(const std::string& sender, const std::string& recipient);
  std::uint32_t part_of(const std::string& sender, const std::string& recipient) const;
  // The same way without this lane, for mail that its smarthost cannot take; null if no other would be left.
  RoutePtr without(const Route& route, const std::string& smarthost);

  // Mail is about to be due on the route: makes a lane to its destination. If that was out of reach a moment
  // ago, and there is no other way, returns how long the mail is to wait instead.
  std::optional<Duration> furnish(const RoutePtr& route);

  const std::vector<RoutePtr>& served_by(const smtpc::Lane& lane) const;
  // Of these one with mail that the lane may take: the one that it took none from for the longest time. Null:
  // none.
  RoutePtr next_for(const smtpc::Lane& lane) const;
  std::size_t due() const;
  // How long the first mail that is due has waited; 0: no mail is due.
  Duration oldest() const;
  const std::vector<LanePtr>& lanes() const { return lanes_; }
  Destinations& destinations() { return destinations_; }
  const Destinations& destinations() const { return destinations_; }
  // Empty if there is no smarthost of this name (any more).
  std::string host_of(const std::string& smarthost) const;

  // The lane of a destination has been paused: it is retired, and with `rests` not made again for a moment.
  // Returns the routes that have no lane left.
  std::vector<RoutePtr> give_up(const smtpc::Lane& lane, bool rests = true);
  // Retires lanes of destinations that have nothing to do, and forgets their routes.
  void sweep();

  // Some mail may be due now, or may be taken by another lane than before.
  void wake();
  // Smarthosts that are paused are probed at once.
  void probe_paused();
  // The lanes take no more mail; what is under way may finish.
  void retire();
  // Breaks off what is under way too, on the lanes of earlier configurations as well.
  void stop();
  // Forgets the lanes. None may be running.
  void clear();

  void update_clocks();
  // A lane of this or an earlier configuration has been paused, is up again, or is paused for another reason.
  void note_change(const smtpc::Lane& lane, const Backlog& backlog);
  // Once a day: a line for each smarthost that stays paused. To be called at least once an hour.
  void remind(const Backlog& backlog);

 private:
  struct Rule {
    config::RouteSettings settings;
    std::shared_ptr<RouteClock> clock;
    bool is_direct = false;  // one of the places stands for the recipients' own servers
  };
  struct Place {
    std::size_t rule = 0;
    std::string domain{};    // where the rule is direct
    std::string excluded{};  // names of smarthosts, each in front of a line end
    auto operator<=>(const Place&) const = default;
  };

  void set_rules(const config::Settings& settings);
  Place place_of(const std::string& sender, const std::string& recipient) const;
  std::uint32_t part_of(const Place& place) const;
  RoutePtr route_at(const Place& place);
  Route::Groups groups_for(const Place& place) const;
  bool is_rule_up(std::size_t rule) const;
  LanePtr lane_named(const std::string& smarthost) const;
  void serve(const RoutePtr& route);
  void log_state(const smtpc::Lane& lane, const Backlog& backlog);

  io::Loop& loop_;
  log::MailLog& log_;
  std::vector<Rule> rules_;
  std::shared_ptr<RouteClock> clock_;
  std::map<Place, RoutePtr> routes_;
  RoutePtr only_;
  std::vector<LanePtr> lanes_;
  std::map<const smtpc::Lane*, std::vector<RoutePtr>> served_;
  Destinations destinations_;
  std::vector<std::weak_ptr<smtpc::Lane>> retired_;  // of earlier configurations
  Instant last_reminder_;
};

}  // namespace hikyaku::relay
