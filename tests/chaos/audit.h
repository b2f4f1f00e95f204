// SPDX-License-Identifier: MIT
// Holds what a relay has done with its mail against what the smarthost knows: nothing lost, nothing altered,
// nothing sent twice but where a reply was lost, nothing delivered that was reported as failed, nothing
// reported as failed that nobody has refused. Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daemon/mail/mail_source.h"
#include "tests/chaos/rig.h"

namespace hikyaku::test {

// What is in the spool, read while no relay works on it.
struct Spooled {
  mail::QueuedMail mail;
  std::string content;
};

class Audit {
 public:
  Audit(const std::vector<SentMail>& sent, const ChaosLedger& ledger, const std::vector<Spooled>& spooled);

  // What is wrong, a line each; empty: nothing.
  std::vector<std::string> findings();

 private:
  using Whom = std::pair<std::string, std::string>;  // sender and recipient

  void read_notice(const std::string& to, const std::string& content);
  void judge(const SentMail& mail);
  void judge_gone(const Whom& whom);
  void judge_queued(const Whom& whom, mail::RecipientState state);
  void judge_notices();
  void judge_contents();
  bool is_reported(const Whom& whom) const { return reported_.contains(whom); }
  void find(std::string what, const Whom& whom);

  const std::vector<SentMail>& sent_;
  const ChaosLedger& ledger_;
  std::map<std::uint64_t, const mail::QueuedMail*> queued_;
  const std::vector<Spooled>& spooled_;
  std::set<Whom> reported_;  // as failed, to the sender or to the operator
  std::vector<std::string> findings_;
};

}  // namespace hikyaku::test
