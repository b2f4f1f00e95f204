// SPDX-License-Identifier: MIT
// The routes of a configuration: which of them a recipient's mail takes, which of them a lane serves, and the
// time that counts for the mail that waits there. Routes to recipients' domains are made as they are needed.
// The loop's thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/config/settings.h"
#include "daemon/relay/route.h"

namespace hikyaku::relay {

class RouteTable {
 public:
  explicit RouteTable(Instant now) : clock_(std::make_shared<RouteClock>(now)) {}

  // Whether configure() would change no more than the lanes.
  bool has_shape_of(const config::Settings& settings) const;
  // If the routes are others now, nothing may be due on the earlier ones (take_due). `lanes`: one for each
  // smarthost but those that stand for the recipients' own servers.
  void configure(const config::Settings& settings, std::vector<LanePtr> lanes, Instant now);
  // Forgets the lanes. What is due stays.
  void clear();
  const std::vector<LanePtr>& lanes() const { return lanes_; }
  LanePtr lane_named(const std::string& smarthost) const;

  // The only route, which takes all mail whatever its addresses; null if there are others.
  const RoutePtr& only() const { return only_; }
  // The route that mail from `sender` takes to `recipient`, and the number of that part of a mail.
  RoutePtr find(const std::string& sender, const std::string& recipient);
  std::uint32_t part_of(const std::string& sender, const std::string& recipient) const;
  // The same way without this smarthost, for mail that it cannot take; null if no other would be left.
  RoutePtr without(const Route& route, const std::string& smarthost);

  // The route has new lanes.
  void serve(const RoutePtr& route);
  // The lane is gone.
  void forget(const smtpc::Lane& lane);
  // The routes to domains for which nothing is due, and no lane is there.
  void forget_idle();
  const std::vector<RoutePtr>& served_by(const smtpc::Lane& lane) const;
  // Of these one with mail that the lane may take: the one that it took none from for the longest time. Null:
  // none.
  RoutePtr next_for(const smtpc::Lane& lane) const;
  std::vector<RoutePtr> all() const;

  std::vector<Entry> take_due();
  std::size_t due() const;
  // How many mails more could be sent if no more than `most` are to be due. Mail whose route is down counts for nothing,
  // so that it keeps none from the others; while all are down it is one at most, which a probe may need.
  std::size_t room(std::size_t most, Instant now, bool are_destinations_up) const;
  // How long the first mail that is due has waited; 0: no mail is due.
  Duration oldest() const;

  // All routes' time: that of the only one, or else it stands still while none is up.
  Duration time() const { return clock_->time(); }
  // `are_destinations_up`: mail to the recipients' own servers ages.
  void update_clocks(Instant now, bool are_destinations_up);
  // The entry's time becomes one of this route's clock, or of all routes' and it looks for its way again.
  void enter(const Route& route, Entry& entry) const;
  void leave(Entry& entry) const;
  void leave(Entry& entry, const Route& route) const;

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

  void set_rules(const config::Settings& settings, Instant now);
  Place place_of(const std::string& sender, const std::string& recipient) const;
  static std::uint32_t part_of(const Place& place);
  RoutePtr route_at(const Place& place);
  Route::Groups groups_for(const Place& place) const;
  bool is_rule_up(std::size_t rule, Instant now) const;

  std::vector<LanePtr> lanes_;
  std::vector<Rule> rules_;
  std::shared_ptr<RouteClock> clock_;
  std::map<Place, RoutePtr> routes_;
  RoutePtr only_;
  std::map<const smtpc::Lane*, std::vector<RoutePtr>> served_;
};

}  // namespace hikyaku::relay
