// SPDX-License-Identifier: MIT
#include "daemon/relay/sharing.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::relay {
namespace {

constexpr Duration kBetweenLooks = 1min;  // while a smarthost is not proven here
constexpr Duration kBetweenTries = 5s;    // while the others cannot be reached
constexpr const char* kProvenAccount = "proven";

std::string in_words(unsigned nodes) { return cat(std::to_string(nodes), " nodes"); }

}  // namespace

Sharing::Sharing(SharingParts parts)
    : parts_(parts),
      quotas_(parts.loop, parts.accounts, parts.log, [this] { parts_.routes.wake(); }),
      changed_(parts.loop),
      nursery_(parts.loop) {}

Sharing::~Sharing() {
  parts_.accounts.set_on_nodes([] {});
}

void Sharing::set_on_nodes(std::function<void()> on_nodes) {
  on_nodes();
  parts_.accounts.set_on_nodes([this, tell = std::move(on_nodes)] {
    tell();
    say_share();
  });
}

void Sharing::configure(const std::vector<mail::Smarthost>& smarthosts) {
  smarthosts_ = smarthosts;
  told_.clear();
  unfit_.clear();
  if (nodes() > 1) say_share();
  look();
  if (!std::exchange(is_looking_, true)) nursery_.spawn(keep_looking());
}

void Sharing::say_share() {
  const unsigned count = nodes();
  parts_.log.info(
      count > 1 ? cat(in_words(count), " share the spool: each has its part of `connections` and `rate`")
                : "no other node shares the spool at present: this one has all of `connections` and `rate`",
      {{"nodes", std::uint64_t{count}}});
  for (const mail::Smarthost& each : smarthosts_) {
    if (each.connections >= count || !told_.insert(each.name).second) continue;
    parts_.log.warning(cat("`connections: ", std::to_string(each.connections), "` is less than the ",
                           in_words(count), " that share the spool: each of them opens one"),
                       {{"smarthost", each.name}});
  }
}

// ---- what is proven

void Sharing::look() {
  is_due_ = true;
  changed_.notify();
}

std::vector<LanePtr> Sharing::unproven() const {
  std::vector<LanePtr> lanes = parts_.routes.table().lanes();
  std::erase_if(lanes, [](const LanePtr& lane) { return lane->health().is_proven(); });
  return lanes;
}

Task<void> Sharing::keep_looking() {
  while (!stopping_.is_requested()) {
    bool is_done = true;
    if (std::exchange(is_due_, false)) is_done = co_await compare();
    const Duration pause = is_done ? kBetweenLooks : kBetweenTries;
    const io::Woken woken = co_await changed_.wait(parts_.loop.within(pause, &stopping_));
    if (woken == io::Woken::timeout) is_due_ = !is_done || !unproven().empty();
  }
}

Task<bool> Sharing::compare() {
  for (;;) {
    auto account = co_await parts_.accounts.get(kProvenAccount);
    if (!account) co_return false;
    ProvenMarks marks = parse_proven_file(account->state).value_or(ProvenMarks());
    const bool has_learnt = co_await learn(marks);
    if (has_learnt) continue;
    if (!add_ours(marks)) co_return true;
    auto put = co_await parts_.accounts.put(kProvenAccount, account->version, to_text(marks));
    if (!put) co_return false;
  }
}

// A mark that does not fit is not tried again: the slow hash costs its time.
Task<bool> Sharing::learn(const ProvenMarks& theirs) {
  bool has_learnt = false;
  for (const LanePtr& lane : unproven()) {
    const auto mark = theirs.find(lane->name());
    if (mark == theirs.end() || unfit_.contains(mark->second.salt)) continue;
    const bool fits = co_await Proven::fits(parts_.loop, lane->smarthost(), mark->second);
    if (!fits) unfit_.insert(mark->second.salt);
    if (!fits || lane->is_retired()) continue;
    parts_.proven.adopt(lane->smarthost(), mark->second);
    lane->share(nodes(), true);
    has_learnt = true;
  }
  co_return has_learnt;
}

// Where another configuration has been proven under the same name, the latest counts.
bool Sharing::add_ours(ProvenMarks& marks) const {
  bool has_changed = false;
  for (const mail::Smarthost& each : smarthosts_) {
    const auto ours = parts_.proven.mark_of(each);
    const auto theirs = marks.find(each.name);
    const bool is_missing = theirs == marks.end() || unfit_.contains(theirs->second.salt);
    if (!ours || !is_missing) continue;
    marks[each.name] = *ours;
    has_changed = true;
  }
  return has_changed;
}

Task<void> Sharing::stop() {
  stopping_.request();
  co_await nursery_.drained({});
  co_await quotas_.stop();
}

}  // namespace hikyaku::relay
