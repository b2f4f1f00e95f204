// SPDX-License-Identifier: MIT
// How many parts there are of each mail that has more than one: they are due, wait or are under way, each by
// itself. Pure.
#pragma once

#include <cstddef>
#include <unordered_map>

#include "daemon/mail/mail_id.h"

namespace hikyaku::relay {

class Parts {
 public:
  // One part has become so many, at least 1.
  void divide(mail::MailId id, std::size_t into) {
    if (into < 2) return;
    auto [found, is_new] = count_.try_emplace(id, 1);
    found->second += into - 1;
    surplus_ += into - 1;
  }
  // A part has ended, and others are left. False: it is the only one.
  bool end_one(mail::MailId id) {
    auto found = count_.find(id);
    if (found == count_.end()) return false;
    --surplus_;
    if (--found->second == 1) count_.erase(found);
    return true;
  }
  // All of them have ended.
  void end_all(mail::MailId id) {
    auto found = count_.find(id);
    if (found == count_.end()) return;
    surplus_ -= found->second - 1;
    count_.erase(found);
  }
  bool has_several(mail::MailId id) const { return count_.contains(id); }
  std::size_t count(mail::MailId id) const { return has_several(id) ? count_.at(id) : 1; }
  // How many parts there are more than mails.
  std::size_t surplus() const { return surplus_; }

 private:
  std::unordered_map<mail::MailId, std::size_t> count_;
  std::size_t surplus_ = 0;
};

}  // namespace hikyaku::relay
