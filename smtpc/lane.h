// SPDX-License-Identifier: MIT
// A smarthost's connections, its health and the order in which mail gets there. Lanes are the only place that
// dials. A lane's configuration never changes, but for its part of the connections: a reload makes a new one and retires
// the old, which finishes what is under way and takes no more. The loop's thread. Lives until run() has returned.
#pragma once

#include <list>
#include <memory>
#include <string>

#include "daemon/io/nursery.h"
#include "daemon/io/tls.h"
#include "smtpc/client.h"
#include "smtpc/health.h"
#include "smtpc/lane_work.h"
#include "smtpc/rate.h"

namespace hikyaku::smtpc {

class LaneLink;

struct LaneOptions {
  mail::Smarthost smarthost;
  std::string ehlo_name;
  std::string instance_token;
  bool proven = false;
  std::shared_ptr<io::TlsClient> tls;  // none only with TlsMode::none
  dkim::KeyRingPtr keys{};             // that sign; null: mail leaves unsigned
  TokenSource* tokens = nullptr;       // null only without `oauth`
  bool hands_over = false;  // the queue is emptied: each mail's times travel along where they are taken
  Duration idle = 5s;       // how long a connection waits for more mail
  // The smarthost's: a lane that replaces another goes on with its counts.
  std::shared_ptr<RateLimiter> rate = std::make_shared<RateLimiter>();
};

class Lane {
 public:
  // All outlive it.
  Lane(io::Loop& loop, Connector& connector, LaneWork& work, LaneObserver& observer, LaneOptions options,
       Jitter jitter = random_fraction);
  Lane(const Lane&) = delete;
  ~Lane();

  // Opens connections as work waits, probes while paused. Returns after retire(), when the last connection is
  // closed.
  Task<void> run();
  // To be called whenever mail may have become due. Cheap.
  void wake() { changed_.notify(); }
  // Probes now, whatever the pause says.
  void probe_now();
  // So many daemons share the configured connections; each has at least one. Those that are too many end after the mail
  // that they are busy with. `is_proven`: one of them has found out that the smarthost accepts messages with this
  // configuration.
  void share(unsigned nodes, bool is_proven = false);
  // The lane takes no more mail; what is under way may finish.
  void retire();
  // Retires the lane and breaks off what is under way.
  void stop();

  const mail::Smarthost& smarthost() const { return options_.smarthost; }
  const std::string& name() const { return options_.smarthost.name; }
  const Health& health() const { return health_; }
  bool is_probing() const { return probing_; }
  // A probe is under way, or begins in the same turn of the loop.
  bool is_being_looked_at() const { return probing_ || probe_now_; }
  bool is_retired() const { return retired_; }
  std::size_t connections() const { return links_.size(); }
  std::size_t busy() const;  // of the connections, those that have a mail
  // When the rate permits the next mail: now, or later.
  Instant next_permitted(Instant now) const { return options_.rate->next(now); }

 private:
  friend class LaneLink;

  bool wants_connection() const;
  bool has_room();
  Task<void> probe();
  Task<void> run_link();
  std::size_t takeable() const;
  Instant next_chance() const;
  Instant next_probe() const;
  void keep_for_next_chance(io::Until& until) const;
  Task<JobPtr> take(Preference preference);
  void put_back(JobPtr job);
  void weigh(TransactionResult& result, const Job& job, unsigned round);
  void learn(const TransactionResult& result, mail::MailId id, unsigned round);
  void learn(const Refusal& refusal, std::optional<mail::MailId> id, unsigned round);
  void tell(bool changed);
  bool wait_for_rate();

  io::Loop& loop_;
  Connector& connector_;
  LaneWork& work_;
  LaneObserver& observer_;
  LaneOptions options_;
  PeerKnowledge knowledge_;
  Health health_;
  io::Event changed_;
  std::list<LaneLink*> links_;  // each in the frame of its run_link()
  bool probing_ = false;
  unsigned probe_round_ = 0;  // of the probe under way
  bool probe_now_ = false;
  bool retired_ = false;
  bool is_plainness_known_ = false;
  io::Nursery nursery_;
};

}  // namespace hikyaku::smtpc
