// SPDX-License-Identifier: MIT
#include "spool/postgresql/notices.h"

#include <algorithm>
#include <utility>

#include "spool/postgresql/statements.h"

namespace hikyaku::postgresql {

Statements Notices::statements(mail::MailId about) const {
  Statements statements;
  if (!has(about)) return statements;
  statements.push_back({&kLock, {id_value(about), number(epoch(about))}});
  for (auto [at, end] = waiting_.equal_range(about); at != end; ++at) statements.push_back(at->second.accept);
  return statements;
}

// Behind the lock; all or none of them.
bool Notices::are_stored(mail::MailId about, const Results& results) const {
  return has(about) && results.size() > 1 && results[1].flag(0, 0);
}

std::vector<Notice> Notices::take(mail::MailId about) {
  std::vector<Notice> taken;
  auto [first, last] = waiting_.equal_range(about);
  for (auto at = first; at != last; ++at) taken.push_back(std::move(at->second));
  waiting_.erase(first, last);
  return taken;
}

std::optional<Notice> Notices::take_one(mail::MailId notice) {
  auto found = std::ranges::find_if(waiting_, [&](const auto& each) { return each.second.id == notice; });
  if (found == waiting_.end()) return std::nullopt;
  Notice taken = std::move(found->second);
  waiting_.erase(found);
  return taken;
}

}  // namespace hikyaku::postgresql
