// SPDX-License-Identifier: MIT
#include "smtpc/evidence.h"

#include <algorithm>
#include <utility>

namespace hikyaku::smtpc {
namespace {

constexpr std::size_t kMostRemembered = 4096;
constexpr Duration kForgotten = 24h;  // an entry without news for so long makes room for others
constexpr Duration kWary = 1h;        // after evidence that was refuted
constexpr std::size_t kFewest = 2;

bool have_one_in_common(const std::vector<std::string>& some, const std::vector<std::string>& others) {
  return std::ranges::find_first_of(some, others) != some.end();
}

// Another mail of other people, refused in the same way: no one stranger chose both texts.
bool supports(const Witness& one, const Witness& other) {
  return one.id != other.id && one.kind == other.kind && one.sender != other.sender &&
         !have_one_in_common(one.recipients, other.recipients);
}

}  // namespace

Finding Evidence::weigh(Witness witness, Instant now) {
  if (is_about_mail(witness.id, now)) return Finding::mail;
  std::erase_if(witnesses_, [&](const Witness& other) { return other.id == witness.id; });
  auto alike =
      std::ranges::count_if(witnesses_, [&](const Witness& other) { return supports(witness, other); });
  witnesses_.push_back(std::move(witness));
  if (witnesses_.size() > kCertain) witnesses_.pop_front();
  return static_cast<std::size_t>(alike) + 1 >= needed(now) ? Finding::smarthost : Finding::undecided;
}

// While other mails are refused as well, none is refused for itself: a limit may have been reached again.
bool Evidence::is_about_mail(mail::MailId id, Instant now) {
  if (!refused_.contains(id)) make_room(now);
  if (refused_.size() >= kMostRemembered && !refused_.contains(id)) return false;
  Refused& refused = refused_.try_emplace(id, Refused{now, now, accepted_}).first->second;
  refused.last = now;
  bool is_alone = std::ranges::all_of(witnesses_, [&](const Witness& other) { return other.id == id; });
  return is_alone && now - refused.first >= kLeastAge && accepted_ > refused.accepted;
}

void Evidence::make_room(Instant now) {
  if (refused_.size() < kMostRemembered) return;
  std::erase_if(refused_, [&](const auto& entry) { return now - entry.second.last > kForgotten; });
}

void Evidence::accepted(mail::MailId id) {
  ++accepted_;
  witnesses_.clear();
  auto found = refused_.find(id);  // accepted for other recipients of the same mail: that is no other mail
  if (found != refused_.end()) found->second.accepted = accepted_;
}

void Evidence::refuted(Instant now) {
  needed_ = std::min(needed(now) * 4, kCertain);
  refuted_at_ = now;
}

std::size_t Evidence::needed(Instant now) {
  if (now - refuted_at_ > kWary) needed_ = kFewest;
  return needed_;
}

}  // namespace hikyaku::smtpc
