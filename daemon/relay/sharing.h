// SPDX-License-Identifier: MIT
// What this daemon's lanes have to do with the other daemons of a shared spool: each has its part of the connections,
// and of the rates by the second and minute; hourly and daily rates are counted for all of them (shared_quotas.h); a
// smarthost that one has proven is proven for all that have it configured the same. Does not exist where a daemon is
// alone. The loop's thread.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "daemon/io/nursery.h"
#include "daemon/log/mail_log.h"
#include "daemon/mail/shared_accounts.h"
#include "daemon/relay/proven.h"
#include "daemon/relay/routes.h"
#include "daemon/relay/shared_quotas.h"

namespace hikyaku::relay {

// All outlive it.
struct SharingParts {
  io::Loop& loop;
  mail::SharedAccounts& accounts;
  log::MailLog& log;
  Proven& proven;
  Routes& routes;
};

class Sharing {
 public:
  explicit Sharing(SharingParts parts);
  ~Sharing();

  SharedQuotas& quotas() { return quotas_; }
  unsigned nodes() const { return parts_.accounts.nodes(); }
  void set_on_nodes(std::function<void()> on_nodes);
  // To be called with each configuration, when its lanes are there.
  void configure(const std::vector<mail::Smarthost>& smarthosts);
  // Compares what is proven here and elsewhere, now and not only when it is time.
  void look();
  // To be called when no mail is under way.
  Task<void> stop();

 private:
  void say_share();
  Task<void> keep_looking();
  // False: the others cannot be reached.
  Task<bool> compare();
  Task<bool> learn(const ProvenMarks& theirs);
  bool add_ours(ProvenMarks& marks) const;
  std::vector<LanePtr> unproven() const;

  SharingParts parts_;
  SharedQuotas quotas_;
  std::vector<mail::Smarthost> smarthosts_;  // of the present configuration
  std::set<std::string> told_;               // smarthosts with fewer connections than there are nodes
  std::set<std::string> unfit_;  // salts of marks that were made for other configurations than ours
  bool is_looking_ = false;
  bool is_due_ = false;
  io::Event changed_;
  io::Cancel stopping_;
  io::Nursery nursery_;
};

}  // namespace hikyaku::relay
