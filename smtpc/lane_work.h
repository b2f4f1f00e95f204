// SPDX-License-Identifier: MIT
// Where a lane gets its mail from and hands its results to (LaneWork: daemon/relay's queue runner), and where
// it reports how its smarthost fares (LaneObserver: the relay). A lane knows neither queue nor spool.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/io/loop.h"
#include "daemon/mail/mail_source.h"
#include "smtpc/transaction.h"

namespace hikyaku::smtpc {

class Lane;

// A mail taken out of the queue for one attempt. Whoever holds it either settles it or puts it back.
struct Job {
  mail::QueuedMail mail;
  std::vector<std::size_t> recipients;  // those that are pending; at least one
  std::unique_ptr<mail::ContentReader> content;
  Instant taken{};  // when the lane asked for it
};
using JobPtr = std::unique_ptr<Job>;  // stays where it is while a client refers to it

// By what way an attempt went; for the log and the queue's listing.
struct Way {
  std::string smarthost;  // its name
  std::optional<Endpoint> address;
  std::optional<io::TlsInfo> tls;
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
  // False: it was not done in time.
  Task<bool> done(io::Until until);

 private:
  bool done_ = false;
  io::Event changed_;
};
using TicketPtr = std::shared_ptr<Ticket>;

// Which of the mails that are due a lane would rather have.
struct Preference {
  std::vector<mail::MailId> avoid;  // none of these, if there is another
  bool newest = false;              // what has become due last, not first
  // To wait for memory. Who has a mail already must have none for the next (spool/budget.h).
  mail::Patience patience = mail::Patience::some;
};

class LaneWork {
 public:
  virtual ~LaneWork() = default;
  // How many mails are due that this lane could take now. 0 while outcomes cannot be written, and while a
  // lane before it in the route is up.
  virtual std::size_t waiting(const Lane& lane) const = 0;
  // Whether a mail that is none of `avoid` is due and waits for this paused lane: no other lane is up.
  virtual bool has_fresh(const Lane& lane, const std::vector<mail::MailId>& avoid) const = 0;
  // One of them. Nothing: somebody else was quicker, or there is no memory for it.
  virtual Task<std::optional<Job>> take(const Lane& lane, Preference preference) = 0;
  // What became of it. Does not suspend.
  virtual TicketPtr settle(Job job, TransactionResult result, Way way) = 0;
  // It was not tried; it is due again at once.
  virtual void put_back(Job job) = 0;
};

class LaneObserver {
 public:
  virtual ~LaneObserver() = default;
  // The lane's state, or the reason for it, has changed. Called once a change.
  virtual void changed(const Lane& lane) = 0;
  // The smarthost cannot bear pipelining and gets one command at a time from now on. Called once.
  virtual void speaks_plainly(const Lane& lane) = 0;
  // The smarthost has accepted a message: it is proven with the lane's configuration.
  virtual void accepted(const Lane& lane) = 0;
};

}  // namespace hikyaku::smtpc
