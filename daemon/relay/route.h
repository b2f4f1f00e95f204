// SPDX-License-Identifier: MIT
// One way out: groups of lanes in their order, and the mail that is due for them. The first group with a lane
// that is up takes the mail; within it the lanes share the load. A lane may serve several routes, and knows
// none of them. The loop's thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daemon/relay/schedule.h"
#include "smtpc/lane.h"

namespace hikyaku::relay {

// How long mail has been waiting through no fault of ours: the time during which its route was down does not
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

using LanePtr = std::shared_ptr<smtpc::Lane>;

// A smarthost's place in a route. Where it stands for the recipients' own servers, the lane is that of one
// domain, and made when there is mail for it.
struct RoutePlace {
  std::string smarthost;  // its name
  bool is_direct = false;
  LanePtr lane{};  // null: there is none at the moment
};

class Route {
 public:
  using Groups = std::vector<std::vector<RoutePlace>>;

  // `part` tells the routes of one configuration apart; not 0. `domain`: of the recipients, where their own
  // servers are among the places.
  Route(std::uint32_t part, std::string domain, std::shared_ptr<RouteClock> clock, Groups groups);

  std::uint32_t part() const { return part_; }
  const std::string& domain() const { return domain_; }
  Duration time() const { return clock_->time(); }
  const std::shared_ptr<RouteClock>& clock() const { return clock_; }

  DueList& due() { return due_; }
  const DueList& due() const { return due_; }

  // At a reload: the same places with other lanes.
  void set_groups(Groups groups);
  // The lane's place becomes vacant.
  void remove(const smtpc::Lane& lane);
  std::vector<LanePtr> lanes() const;
  bool has(const smtpc::Lane& lane) const;
  // A place without a lane.
  RoutePlace* vacancy();
  bool has_vacancy() const;
  // Whether it is among those that wait for one (Routes); returns what was so before.
  bool set_waiting(bool is_waiting) { return std::exchange(is_waiting_, is_waiting); }
  void wake() const;

  // Whether the lane may take the due mail: a paused one for its probe; of the others those of the first group
  // that has one.
  bool is_turn_of(const smtpc::Lane& lane) const;
  // How much of it the lane should look after: in a group the least busy lane comes first, and leaves to the
  // next what its free connections do not take.
  std::size_t share_of(const smtpc::Lane& lane, Instant now) const;
  // No lane is up.
  bool is_paused() const { return active() == nullptr; }
  // A lane is up that may send within the next hour: a rate that is used up for long is like a pause, since
  // nobody could be refused meanwhile.
  bool is_up(Instant now) const;
  void note_given(const smtpc::Lane& lane);
  // When the lane got its last mail of any route, as a number that grows; 0: none so far.
  std::uint64_t last_given(const smtpc::Lane& lane) const;

 private:
  const std::vector<RoutePlace>* active() const;
  bool is_before(const smtpc::Lane& a, const smtpc::Lane& b) const;

  std::uint32_t part_;
  std::string domain_;
  std::shared_ptr<RouteClock> clock_;
  Groups groups_;
  DueList due_;
  bool is_waiting_ = false;
  std::map<const smtpc::Lane*, std::uint64_t> given_;
};
using RoutePtr = std::shared_ptr<Route>;

}  // namespace hikyaku::relay
