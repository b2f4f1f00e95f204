// SPDX-License-Identifier: MIT
#include "daemon/dns/record_cache.h"

#include <algorithm>

#include "daemon/base/text.h"

namespace hikyaku::dns {
namespace {

// 0: not at all.
Duration time_to_keep(const Answer& answer) {
  switch (answer.status) {
    case Status::found:
    case Status::alias: return std::clamp(answer.ttl, kLeastTtl, kMostTtl);
    case Status::no_data:
    case Status::no_such_name: return std::min(answer.ttl, kMostNegativeTtl);
    case Status::failed: break;
  }
  return Duration{0};
}

}  // namespace

Task<Answer> RecordCache::look_up(std::string name, RecordType type, io::Until until) {
  name = to_lower(name);
  for (std::size_t hops = 0; hops <= kMostAliases; ++hops) {
    auto answer = co_await look_up_one(name, type, until);
    if (answer.status != Status::alias) co_return answer;
    name = std::move(answer.alias);
  }
  co_return failed("the DNS answers with aliases (CNAME) that never end");
}

Task<Answer> RecordCache::look_up_one(std::string name, RecordType type, io::Until until) {
  Key key{std::move(name), type};
  auto kept = kept_.find(key);
  if (kept != kept_.end() && loop_.now() < kept->second.until) co_return kept->second.answer;
  auto answer = co_await below_.look_up(key.first, type, until);
  keep(std::move(key), answer);
  co_return answer;
}

void RecordCache::keep(Key key, const Answer& answer) {
  const Duration time = time_to_keep(answer);
  drop(key);
  if (time == Duration{0}) return;
  if (kept_.size() >= kMostKept) drop(ends_.begin()->second);
  const Instant until = loop_.now() + time;
  ends_.emplace(until, key);
  Kept& kept = kept_[std::move(key)];
  kept = {answer, until};
  kept.answer.is_kept = true;
}

void RecordCache::drop(Key key) {
  auto found = kept_.find(key);
  if (found == kept_.end()) return;
  ends_.erase({found->second.until, std::move(key)});
  kept_.erase(found);
}

}  // namespace hikyaku::dns
