// SPDX-License-Identifier: MIT
#include "daemon/dns/absence.h"

#include <algorithm>

namespace hikyaku::dns {

bool AbsenceEvidence::absent(std::string_view domain, Instant now) {
  auto said = said_.find(domain);
  const bool is_first = said == said_.end() || now - said->second.newest > kMemory;
  if (is_first) {
    if (said == said_.end() && said_.size() >= kMost) make_room(now);
    said_.insert_or_assign(std::string(domain), Said{now, now});
    return false;
  }
  said->second.newest = now;
  return now - said->second.first >= kPatience && last_found_ > said->second.first;
}

void AbsenceEvidence::found(std::string_view domain, Instant now) {
  last_found_ = now;
  exists(domain);
}

void AbsenceEvidence::exists(std::string_view domain) {
  if (auto said = said_.find(domain); said != said_.end()) said_.erase(said);
}

void AbsenceEvidence::make_room(Instant now) {
  std::erase_if(said_, [now](const auto& entry) { return now - entry.second.newest > kMemory; });
  if (said_.size() < kMost) return;
  said_.erase(std::ranges::min_element(said_, {}, [](const auto& entry) { return entry.second.newest; }));
}

}  // namespace hikyaku::dns
