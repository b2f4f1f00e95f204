// SPDX-License-Identifier: MIT
// What was said before the latest failures: of the mails whose attempts failed last, and of each smarthost's last
// session that failed. For operators. In memory only, within a bound, and forgotten at a restart; what became of a mail
// is in the spool and in the log. The loop's thread.
#pragma once

#include <list>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/mail/dialogue.h"
#include "daemon/mail/mail_id.h"
#include "daemon/mail/smarthost.h"

namespace hikyaku::relay {

class DialogueBoard {
 public:
  static constexpr std::size_t kMemory = std::size_t{2} << 20U;  // of the mails; a hundred and more
  explicit DialogueBoard(std::size_t memory = kMemory) : memory_(memory) {}

  // What is known of smarthosts with another name is forgotten.
  void configure(const std::vector<mail::Smarthost>& smarthosts);
  // An attempt of the mail has failed; for some of its recipients at least. Does nothing if `dialogue` is null.
  void note(mail::MailId id, mail::DialoguePtr dialogue);
  // A session has failed. Of a smarthost that is not configured (any more) nothing is kept.
  void note(const std::string& smarthost, mail::DialoguePtr dialogue);

  // Null: there is none, or none any more.
  mail::DialoguePtr of(mail::MailId id) const;
  mail::DialoguePtr of(const std::string& smarthost) const;

 private:
  struct Kept {
    mail::MailId id;
    mail::DialoguePtr dialogue;
    std::size_t bytes = 0;
  };
  void forget(std::list<Kept>::iterator kept);

  std::size_t memory_;
  std::size_t used_ = 0;
  std::list<Kept> kept_;  // oldest first
  std::unordered_map<mail::MailId, std::list<Kept>::iterator> by_id_;
  std::map<std::string, mail::DialoguePtr> smarthosts_;  // those that are configured
};

}  // namespace hikyaku::relay
