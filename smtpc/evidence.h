// SPDX-License-Identifier: MIT
// Whether a refusal concerns one mail or all of ours. A proven smarthost's words, and statuses that content
// filters use as well, do not tell by themselves (Action::weigh_evidence): texts quote what strangers choose.
// What happens to other mails meanwhile tells. The rules are in ARCHITECTURE.md, "A lane's states", and serve
// promise 3. Pure but for the times that it is given. Memory is bounded, and lost at a restart, which costs
// patience only.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/mail/failure.h"
#include "daemon/mail/mail_id.h"

namespace hikyaku::smtpc {

// A mail that was refused in such a way.
struct Witness {
  mail::MailId id;
  mail::FailureKind kind = mail::FailureKind::other;
  std::string sender;
  std::vector<std::string> recipients;  // those that were refused
};

enum class Finding : std::uint8_t {
  undecided,  // the mail waits, by its own schedule
  smarthost,  // different mails were refused alike, and none was accepted between them: it refuses us
  mail,       // this one is refused again and again while others are accepted
};

class Evidence {
 public:
  // A mail refused so again is refused for itself only so long after the first time.
  static constexpr Duration kPatience = 15min;
  // Above so many different mails in a row, hardly anybody has made them up.
  static constexpr std::size_t kCertain = 32;

  Finding weigh(Witness witness, Instant now);
  // A mail was accepted.
  void accepted(mail::MailId id);
  // What was found to be the smarthost's was not: a mail was accepted. For the next hour the same takes four
  // times as many witnesses, at most kCertain.
  void refuted(Instant now);
  // Those refused since a mail was last accepted, the oldest first; at most kCertain.
  const std::deque<Witness>& witnesses() const { return witnesses_; }

 private:
  struct Refused {
    Instant first;
    Instant last;
    std::uint64_t accepted = 0;  // of others, when it was first refused
  };

  bool is_about_mail(mail::MailId id, Instant now);
  void make_room(Instant now);
  std::size_t needed(Instant now);

  std::deque<Witness> witnesses_;
  std::unordered_map<mail::MailId, Refused> refused_;
  std::uint64_t accepted_ = 0;
  std::size_t needed_ = 2;
  Instant refuted_at_{};
};

}  // namespace hikyaku::smtpc
