// SPDX-License-Identifier: MIT
// The recipients' own servers: a lane for each domain that mail is due for, made on demand, bounded in number,
// and shared by all mail to the domain. A domain that is out of reach rests for a moment; a network or a DNS
// through which no domain can be reached is the trouble of all of them. The loop's thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/log/mail_log.h"
#include "daemon/mail/queue_state.h"
#include "daemon/mail/smarthost.h"
#include "daemon/relay/log_lines.h"
#include "daemon/relay/route.h"

namespace hikyaku::relay {

// Makes a lane to the host that the smarthost names, and starts it.
using MakeLane = std::function<LanePtr(const mail::Smarthost&)>;

class Destinations {
 public:
  static constexpr std::size_t kMostLanes = 250;
  static constexpr std::size_t kMostResting = 10'000;
  static constexpr Duration kRest = 30s;
  static constexpr Duration kNetworkWait =
      5min;  // between two tries of a mail while no domain can be reached

  Destinations(io::Loop& loop, log::MailLog& log) : loop_(loop), log_(log) {}

  // At a reload: nothing is known to be wrong, and earlier lanes are retired.
  void configure(std::vector<mail::Smarthost> directs, MakeLane make_lane);
  const std::vector<mail::Smarthost>& directs() const { return directs_; }

  // The lane to `domain`, made if need be; null while the domain rests, or there are too many lanes.
  LanePtr lane(const std::string& smarthost, const std::string& domain);
  // How long the domain rests; 0: it does not.
  Duration rest(const std::string& smarthost, const std::string& domain) const;
  // Retires the lane and returns it; with `rests`, its domain rests. Null: it is none of these.
  LanePtr retire(const smtpc::Lane& lane, bool rests);
  std::vector<LanePtr> lanes() const;
  bool has_lanes() const { return !lanes_.empty(); }
  bool has_room() const { return lanes_.size() < kMostLanes; }
  void clear() { lanes_.clear(); }

  // What keeps all mail from all domains: its kind says that it is the network, or the DNS.
  static bool is_network(const mail::Failure& why);
  void note_network(const mail::Failure& why, const Backlog& backlog);
  // Mail has got through, or a server has answered.
  void note_reached(const Backlog& backlog);
  struct Trouble {
    mail::Failure why;
    Instant since;
  };
  const std::optional<Trouble>& trouble() const { return trouble_; }
  void remind(const Backlog& backlog);
  mail::SmarthostReport report(const mail::Smarthost& direct, WallTime now) const;

 private:
  using Key = std::pair<std::string, std::string>;  // smarthost and domain
  const mail::Smarthost* find(const std::string& smarthost) const;
  void log_state(bool is_up, const Backlog& backlog);

  io::Loop& loop_;
  log::MailLog& log_;
  std::vector<mail::Smarthost> directs_;
  MakeLane make_lane_;
  std::map<Key, LanePtr> lanes_;
  std::map<Key, Instant> resting_;  // until then
  std::optional<Trouble> trouble_;
};

}  // namespace hikyaku::relay
