// SPDX-License-Identifier: MIT
// What this node knows of the mail that it owns: for each its epoch, and what the queue asks of it without a look at the
// database. Mail that was owned under an earlier epoch stays here until somebody asks for it, but is no longer ours;
// if it becomes ours again before that, nobody has missed it. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include "daemon/mail/mail_source.h"

namespace hikyaku::postgresql {

struct OwnedMail {
  std::int64_t epoch = 0;
  std::uint64_t size = 0;
  std::uint64_t head = 0;  // of envelope and progress, bytes
  Duration waited{0};      // since its last record, as far as that counts and is not written down yet
  Duration next_wait{0};
  bool held = false;
  std::uint64_t found = 0;   // differs whenever it was found in the database, as ours, once more
  std::int64_t state = 0;    // the mark of its newest record, as far as this node knows; 0: none
  bool is_outdated = false;  // another node has recorded it since it was loaded here
};

class OwnedMails {
 public:
  // False: it is there already, and so in the queue.
  bool add(mail::MailId id, const OwnedMail& mail) {
    auto [place, is_new] = mails_.try_emplace(id, mail);
    OwnedMail& known = place->second;
    known.found = ++found_;
    if (is_new) return true;
    known.epoch = mail.epoch;
    known.head = mail.head;
    known.waited = std::min(known.waited, mail.waited);  // the queue may have counted what came since
    known.is_outdated = known.is_outdated || known.state != mail.state;
    known.state = mail.state;
    return false;
  }
  // Also under an earlier epoch.
  OwnedMail* find(mail::MailId id) {
    auto found = mails_.find(id);
    return found == mails_.end() ? nullptr : &found->second;
  }
  void forget(mail::MailId id) { mails_.erase(id); }
  std::size_t size() const { return mails_.size(); }
  // Ordered by id.
  std::vector<mail::QueueEntry> entries(std::int64_t epoch) const {
    std::vector<mail::QueueEntry> entries;
    for (const auto& [id, mail] : mails_)
      if (mail.epoch == epoch) entries.push_back({id, mail.size, mail.next_wait, mail.held});
    return entries;
  }
  // 0: there is none.
  mail::MailId oldest(std::int64_t epoch) const {
    auto found =
        std::ranges::find_if(mails_, [epoch](const auto& each) { return each.second.epoch == epoch; });
    return found == mails_.end() ? mail::MailId() : found->first;
  }

 private:
  std::map<mail::MailId, OwnedMail> mails_;
  std::uint64_t found_ = 0;  // so far
};

}  // namespace hikyaku::postgresql
