// SPDX-License-Identifier: MIT
// Where a lane gets its mail from and hands its results to (LaneWork: daemon/relay's queue runner), and where
// it reports how its smarthost fares (LaneObserver: the relay). A lane knows neither queue nor spool.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/io/loop.h"
#include "daemon/mail/dialogue.h"
#include "daemon/mail/mail_source.h"
#include "smtpc/transaction.h"

namespace hikyaku::smtpc {

class Lane;

// A mail taken out of the queue for one attempt. Its holder must either settle the job or put it back.
struct Job {
  mail::QueuedMail mail;
  std::vector<std::size_t> recipients;  // those that are pending; at least one
  std::unique_ptr<mail::ContentReader> content;
  Instant taken{};    // when the lane asked for it
  Instant counted{};  // when its recipients were known
};
using JobPtr = std::unique_ptr<Job>;  // stays where it is while a client refers to it

// The smarthost and connection that an attempt used; for the log and the queue's listing.
struct UsedConnection {
  std::string smarthost;  // its name
  std::optional<Endpoint> address;
  std::optional<io::TlsInfo> tls;
  mail::DialoguePtr dialogue{};  // null: nothing failed, or nothing was said
  std::string signature{};       // TransactionResult's
};

// A connection to a smarthost that was opened, or could not be.
struct ConnectionAttempt {
  UsedConnection used;
  std::string mechanism;                   // logged in with; empty: not logged in
  const mail::Failure* failure = nullptr;  // null: opened. Valid during the call
};

// The flush of an outcome. Done when it is on stable storage; until then no later mail's final dot may leave
// on the same connection (ARCHITECTURE.md, promise 2).
class Ticket {
 public:
  explicit Ticket(io::Loop& loop) : changed_(loop) {}
  void set_done() {
    done_ = true;
    changed_.notify();
  }
  // Waits until the flush is done; false if `until` came first.
  Task<bool> done(io::Until until);

 private:
  bool done_ = false;
  io::Event changed_;
};
using TicketPtr = std::shared_ptr<Ticket>;

// Which of the mails that are due a lane prefers.
struct Preference {
  std::vector<mail::MailId> avoid;  // none of these, if there is another
  bool newest = false;              // the mail that became due last, not first
  // How long to wait for memory. A link that has a mail already must not wait for the next (spool/budget.h).
  mail::Patience patience = mail::Patience::some;
};

class LaneWork {
 public:
  virtual ~LaneWork() = default;
  // The number of mails that this lane could take now. 0 while outcomes cannot be written, and while an
  // earlier lane of the route is up.
  virtual std::size_t waiting(const Lane& lane) const = 0;
  // Whether a mail that is not in `avoid` is due and waits for this paused lane, since no lane is up.
  virtual bool has_fresh(const Lane& lane, const std::vector<mail::MailId>& avoid) const = 0;
  // Takes one of these mails; nullopt if another lane was faster, or there is no memory for the mail.
  virtual Task<std::optional<Job>> take(const Lane& lane, Preference preference) = 0;
  // Reports what became of the mail. Does not suspend.
  virtual TicketPtr settle(Job job, TransactionResult result, UsedConnection used) = 0;
  // The mail was not tried; it is due again at once.
  virtual void put_back(Job job) = 0;
};

class LaneObserver {
 public:
  virtual ~LaneObserver() = default;
  // The lane's state, or the reason for it, has changed. Called once a change.
  virtual void changed(const Lane& lane) = 0;
  // Each attempt but those that we have broken off ourselves.
  virtual void dialled(const Lane& lane, const ConnectionAttempt& attempt) = 0;
  // The smarthost fails with pipelining and gets one command at a time from now on. Called once.
  virtual void speaks_plainly(const Lane& lane) = 0;
  // A session could not be opened, or has met what may not be one mail's own trouble. Called before the lane draws
  // its conclusions.
  virtual void session_failed(const Lane& lane, mail::DialoguePtr dialogue) = 0;
  // The smarthost has accepted a message: it is proven with the lane's configuration.
  virtual void accepted(const Lane& lane) = 0;
};

}  // namespace hikyaku::smtpc
