// SPDX-License-Identifier: MIT
// What a smarthost of the tests really stored, refused and told: the truth that a relay's account of its mail
// is held against. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace hikyaku::test {

// Whether the client can know of the 250 to its message.
enum class Told : std::uint8_t {
  no,
  perhaps,  // it went while that was being written, or had been told nonsense before
  yes,
};

struct LedgerEntry {
  std::string sender;
  std::vector<std::string> recipients;  // the accepted ones
  std::string content;                  // without stuffed dots
  std::uint64_t ended_at = 0;           // when its final dot was read; the ledger's own count
  std::uint64_t told_at = 0;
  Told told = Told::no;
  // The smarthost had been silent for so long that the client may have gone before the final dot was read.
  bool was_late = false;
};

std::string to_text(const LedgerEntry& entry);  // a line for people

class ChaosLedger {
 public:
  std::uint64_t tick() { return ++now_; }
  // Which entry it is.
  std::size_t store(LedgerEntry entry);
  void tell(std::size_t entry, Told told);
  // A 5yz about this mail was said. No recipient: about all of them.
  void refuse(const std::string& sender, const std::optional<std::string>& recipient);
  // A 5yz was said that may have been about this mail. Said in two transactions, of whatever recipients, it may be
  // taken so for those that it was said of.
  void doubt(const std::string& sender, const std::optional<std::string>& recipient);
  // Once a transaction. Notices, which have no sender, are told apart by their recipient, where it is known.
  void doubt_mail(const std::string& sender, const std::string& recipient);
  // The client did what it must not.
  void complain(std::string what) { complaints_.push_back(std::move(what)); }

  const std::vector<LedgerEntry>& entries() const { return entries_; }
  const std::vector<std::string>& complaints() const { return complaints_; }
  bool has_refused(const std::string& sender, const std::string& recipient) const;
  // The most that the client can know of what became of one recipient's mail.
  Told told(const std::string& sender, const std::string& recipient) const;
  // Who got the same message once more although the client knew that they had it.
  std::vector<std::string> needless_copies() const;

 private:
  std::uint64_t now_ = 0;
  std::vector<LedgerEntry> entries_;
  std::set<std::pair<std::string, std::string>> refused_;  // recipient "": all
  std::set<std::pair<std::string, std::string>> doubted_;
  std::map<std::string, unsigned> doubted_mails_;
  std::vector<std::string> complaints_;
};

}  // namespace hikyaku::test
