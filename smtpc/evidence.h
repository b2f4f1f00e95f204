// SPDX-License-Identifier: MIT
// Decides whether a refusal concerns one mail or all of ours. A proven smarthost's text, and statuses that
// content filters use as well, do not suffice (Action::weigh_evidence), since texts quote what strangers
// choose; what happens to other mails meanwhile does. The rules are in ARCHITECTURE.md, "A lane's states",
// and serve promise 3. Pure but for the times that it is given. Memory is bounded, and lost at a restart,
// which costs patience only.
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
  undecided,  // the mail waits by its own schedule
  smarthost,  // different mails were refused alike, and none was accepted between them: it refuses us
  mail,       // this mail is refused again and again while others are accepted
};

class Evidence {
 public:
  // A mail that is refused again is refused for itself no sooner than this after the first time.
  static constexpr Duration kLeastAge = 15min;
  // So many different mails in a row are hardly the work of one stranger.
  static constexpr std::size_t kCertain = 32;

  Finding weigh(Witness witness, Instant now);
  // A mail was accepted.
  void accepted(mail::MailId id);
  // A mail was accepted although Finding::smarthost was returned. For the next hour that finding takes four
  // times as many witnesses, at most kCertain.
  void refuted(Instant now);
  // The mails refused since one was last accepted, the oldest first; at most kCertain.
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
