// SPDX-License-Identifier: MIT
// Queued mail that the operator, or a failure without a sender to tell, keeps from being sent. No queue is
// searched for its entries: each stays where it is until its turn comes, and is then passed over. So holding or
// removing a mail costs the same in a queue of ten and of a million. Ids and entries only. Pure.
#pragma once

#include <cstddef>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "daemon/mail/mail_id.h"
#include "daemon/relay/schedule.h"

namespace hikyaku::relay {

class Withheld {
 public:
  void hold(mail::MailId id) { held_.insert(id); }
  // The entry's turn has come. True: it must not be sent. An entry of a held mail is kept; one of a mail that
  // has ended is forgotten.
  bool passes_over(const Entry& entry) {
    if (held_.contains(entry.id)) {
      kept_.emplace(entry.id, entry);
      return true;
    }
    return forget_one(entry.id);
  }
  // The mail is held no more. Returns its entries whose turn has come meanwhile; the others are still in their
  // places.
  std::vector<Entry> release(mail::MailId id) {
    held_.erase(id);
    std::vector<Entry> entries;
    for (auto [at, end] = kept_.equal_range(id); at != end; ++at) entries.push_back(at->second);
    kept_.erase(id);
    return entries;
  }
  // The mail has ended while it had `entries` in the queues or here.
  void end(mail::MailId id, std::size_t entries) {
    const std::size_t elsewhere = entries - release(id).size();
    if (elsewhere == 0) return;
    ended_.emplace(id, elsewhere);
    ghosts_ += elsewhere;
  }

  std::size_t mails() const { return held_.size(); }  // that are held
  std::size_t kept() const { return kept_.size(); }   // entries
  std::size_t ghosts() const { return ghosts_; }      // entries of ended mails that are still in queues

 private:
  bool forget_one(mail::MailId id) {
    auto found = ended_.find(id);
    if (found == ended_.end()) return false;
    --ghosts_;
    if (--found->second == 0) ended_.erase(found);
    return true;
  }

  std::unordered_set<mail::MailId> held_;
  std::unordered_multimap<mail::MailId, Entry> kept_;
  std::unordered_map<mail::MailId, std::size_t> ended_;  // how many entries are left of each
  std::size_t ghosts_ = 0;
};

}  // namespace hikyaku::relay
