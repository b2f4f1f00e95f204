// SPDX-License-Identifier: MIT
// Holds what a relay has done with its mail against what the smarthost knows: nothing lost, nothing altered,
// nothing sent twice but where a reply was lost, nothing delivered that was reported as failed, nothing
// reported as failed that nobody has refused; and what the operator has held, removed or returned is so. Pure.
#pragma once

#include <map>
#include <optional>
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

// What the operator has decided and was told to be done, and when, by the ledger's count.
class Orders {
 public:
  // False: no such answer may be given after what was decided before.
  bool note(relay::Decision decision, const relay::Decided& answer, std::uint64_t at);
  bool has_removed(mail::MailId id) const { return removed_.contains(id); }
  bool has_returned(mail::MailId id) const { return returned_.contains(id); }
  // Was told that the notice cannot be stored yet: then it is stored later.
  bool may_have_returned(mail::MailId id) const { return has_returned(id) || late_.contains(id); }
  bool holds(mail::MailId id) const { return held_.contains(id); }
  std::vector<mail::MailId> held() const;
  // Since when no lane may send it; nullopt: they may.
  std::optional<std::uint64_t> kept_since(mail::MailId id) const;

 private:
  using Times = std::map<mail::MailId, std::uint64_t>;
  Times removed_;
  Times returned_;
  Times held_;
  std::set<mail::MailId> late_;
};

class Audit {
 public:
  Audit(const std::vector<SentMail>& sent, const ChaosLedger& ledger, const std::vector<Spooled>& spooled,
        const Orders& orders);

  // What is wrong, a line each; empty: nothing.
  std::vector<std::string> findings();

 private:
  using Whom = std::pair<std::string, std::string>;  // sender and recipient

  void read_notice(const std::string& to, const std::string& content);
  void judge(const SentMail& mail);
  void judge_report(const SentMail& mail, const Whom& whom);
  void judge_orders(const SentMail& mail);
  void judge_gone(const SentMail& mail, const Whom& whom);
  void judge_queued(const Whom& whom, mail::RecipientState state);
  void judge_notices();
  void judge_contents();
  bool is_reported(const Whom& whom) const { return reported_.contains(whom); }
  void find(std::string what, const Whom& whom);

  const std::vector<SentMail>& sent_;
  const ChaosLedger& ledger_;
  std::map<std::uint64_t, const mail::QueuedMail*> queued_;
  const std::vector<Spooled>& spooled_;
  const Orders& orders_;
  std::set<Whom> reported_;  // as failed, to the sender or to the operator
  std::vector<std::string> findings_;
};

}  // namespace hikyaku::test
