// SPDX-License-Identifier: MIT
#include "daemon/relay/dialogue_board.h"

#include <utility>

namespace hikyaku::relay {
namespace {

constexpr std::size_t kPlace = 128;  // in list and table

}  // namespace

void DialogueBoard::configure(const std::vector<mail::Smarthost>& smarthosts) {
  auto before = std::exchange(smarthosts_, {});
  for (const mail::Smarthost& smarthost : smarthosts)
    smarthosts_[smarthost.name] = std::move(before[smarthost.name]);
}

void DialogueBoard::note(mail::MailId id, mail::DialoguePtr dialogue) {
  if (dialogue == nullptr) return;
  if (auto before = by_id_.find(id); before != by_id_.end()) forget(before->second);
  const std::size_t bytes = kPlace + bytes_of(*dialogue);
  used_ += bytes;
  kept_.push_back({id, std::move(dialogue), bytes});
  by_id_[id] = std::prev(kept_.end());
  while (used_ > memory_) forget(kept_.begin());
}

void DialogueBoard::note(const std::string& smarthost, mail::DialoguePtr dialogue) {
  if (auto known = smarthosts_.find(smarthost); known != smarthosts_.end())
    known->second = std::move(dialogue);
}

mail::DialoguePtr DialogueBoard::of(mail::MailId id) const {
  auto known = by_id_.find(id);
  return known == by_id_.end() ? nullptr : known->second->dialogue;
}

mail::DialoguePtr DialogueBoard::of(const std::string& smarthost) const {
  auto known = smarthosts_.find(smarthost);
  return known == smarthosts_.end() ? nullptr : known->second;
}

void DialogueBoard::forget(std::list<Kept>::iterator kept) {
  used_ -= kept->bytes;
  by_id_.erase(kept->id);
  kept_.erase(kept);
}

}  // namespace hikyaku::relay
