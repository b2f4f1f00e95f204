// SPDX-License-Identifier: MIT
#include "tests/support/chaos/ledger.h"

#include <algorithm>

#include "daemon/base/text.h"

namespace hikyaku::test {
namespace {

bool is_for(const LedgerEntry& entry, const std::string& recipient) {
  return std::ranges::count(entry.recipients, recipient) > 0;
}

// One whose end was read late may have left before the client knew of the other.
bool is_needless(const LedgerEntry& known, const LedgerEntry& later) {
  bool is_later = known.told == Told::yes && later.ended_at > known.told_at;
  bool was_alive = later.told == Told::yes || !later.was_late;
  return is_later && was_alive && known.sender == later.sender && known.content == later.content;
}

}  // namespace

std::string to_text(const LedgerEntry& entry) {
  constexpr std::string_view kTold[] = {"not told", "perhaps told", "told"};
  return cat("stored at ", std::to_string(entry.ended_at), entry.was_late ? " (late)" : "", ", ",
             kTold[static_cast<std::size_t>(entry.told)], " at ", std::to_string(entry.told_at), ": from <",
             entry.sender, "> to ", join(entry.recipients, ", "));
}

std::size_t ChaosLedger::store(LedgerEntry entry) {
  entries_.push_back(std::move(entry));
  return entries_.size() - 1;
}

void ChaosLedger::tell(std::size_t entry, Told told) {
  entries_[entry].told = told;
  entries_[entry].told_at = tick();
}

void ChaosLedger::refuse(const std::string& sender, const std::optional<std::string>& recipient) {
  refused_.emplace(sender, recipient.value_or(""));
}

void ChaosLedger::doubt(const std::string& sender, const std::optional<std::string>& recipient) {
  doubted_.emplace(sender, recipient.value_or(""));
}

void ChaosLedger::doubt_mail(const std::string& sender, const std::string& recipient) {
  ++doubted_mails_[sender.empty() ? recipient : sender];
}

bool ChaosLedger::has_refused(const std::string& sender, const std::string& recipient) const {
  auto is_in = [&](const auto& whom) {
    return whom.contains({sender, recipient}) || whom.contains({sender, ""});
  };
  auto doubts = [&](const std::string& mail) {
    auto found = doubted_mails_.find(mail);
    return found == doubted_mails_.end() ? 0 : found->second;
  };
  const unsigned said = sender.empty() ? doubts(recipient) + doubts("") : doubts(sender);
  return is_in(refused_) || (is_in(doubted_) && said >= 2);
}

Told ChaosLedger::told(const std::string& sender, const std::string& recipient) const {
  Told most = Told::no;
  for (const LedgerEntry& entry : entries_)
    if (entry.sender == sender && is_for(entry, recipient)) most = std::max(most, entry.told);
  return most;
}

std::vector<std::string> ChaosLedger::needless_copies() const {
  std::vector<std::string> found;
  for (const LedgerEntry& known : entries_)
    for (const LedgerEntry& later : entries_)
      for (const std::string& recipient : known.recipients)
        if (is_needless(known, later) && is_for(later, recipient)) found.push_back(recipient);
  return found;
}

}  // namespace hikyaku::test
