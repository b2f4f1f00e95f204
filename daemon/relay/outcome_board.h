// SPDX-License-Identifier: MIT
// The latest outcomes of mails, for callers who ask after one: a mail that has ended is no longer in the
// spool. Remembers the newest only, within a bound on memory, and forgets at a restart; the log is the
// permanent record. The loop's thread.
#pragma once

#include <list>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/io/wait.h"
#include "daemon/mail/mail_source.h"
#include "daemon/mail/queue_state.h"

namespace hikyaku::relay {

struct MailOutcome {
  mail::MailId id;
  std::optional<std::uint32_t> uid;  // Envelope::uid
  bool is_over = false;              // no longer in the queue
  bool is_held = false;
  std::uint32_t attempts = 0;
  std::optional<WallTime> written{};       // the time of this outcome; nullopt if it was found in the spool
  std::optional<WallTime> next_attempt{};  // if the mail waits for its time
  std::string reason;
  struct Recipient {
    std::string address;
    mail::RecipientProgress progress;
    bool operator==(const Recipient&) const = default;
  };
  std::vector<Recipient> recipients;
  bool operator==(const MailOutcome&) const = default;

  bool is_settled() const;  // no recipient is pending
};
MailOutcome outcome_of(const mail::QueuedMail& mail);
MailOutcome outcome_of(const mail::QueuedMail& mail, const mail::Progress& now, bool is_over);

class OutcomeBoard {
 public:
  static constexpr std::size_t kMemory = std::size_t{4} << 20U;
  explicit OutcomeBoard(io::Loop& loop, std::size_t memory = kMemory) : loop_(loop), memory_(memory) {}

  // After an attempt.
  void note(MailOutcome outcome);
  std::optional<MailOutcome> find(mail::MailId id) const;
  // Waits for the next note() about that mail, and returns its outcome; nullopt at `until`.
  Task<std::optional<MailOutcome>> next(mail::MailId id, io::Until until);

  // Mails that have failed in the last day, newest first: those of `uid`, or of all users. A thousand are
  // kept, a hundred of one user.
  std::vector<mail::FailedMail> failed(std::optional<std::uint32_t> uid) const;
  std::size_t failed() const;

  std::size_t size() const { return by_id_.size(); }

 private:
  struct Watch {
    explicit Watch(io::Loop& loop) : waiter(loop) {}
    io::Waiter waiter;
    std::optional<MailOutcome> seen;
  };
  struct Kept {
    MailOutcome outcome;
    std::size_t size = 0;
  };
  struct Failure {
    Instant at;
    mail::FailedMail mail;
  };
  void forget(std::list<Kept>::iterator kept);
  void keep_failure(const MailOutcome& outcome);

  io::Loop& loop_;
  std::size_t memory_;
  std::size_t used_ = 0;
  std::list<Kept> kept_;  // oldest first
  std::unordered_map<mail::MailId, std::list<Kept>::iterator> by_id_;
  std::multimap<mail::MailId, Watch*> watches_;
  std::list<Failure> failures_;  // oldest first
};

}  // namespace hikyaku::relay
