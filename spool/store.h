// SPDX-License-Identifier: MIT
// What the daemon asks of a spool, whichever it has: its own log on the disk (spool.h), or one in a database that
// several daemons share (postgresql/shared_spool.h). An acknowledged mail is there, on stable storage, until it has
// ended. Whoever uses a spool through this does not know which it is. The loop's thread.
#pragma once

#include <functional>
#include <vector>

#include "daemon/mail/mail_sink.h"
#include "daemon/mail/mail_source.h"
#include "daemon/mail/shared_accounts.h"
#include "spool/options.h"

namespace hikyaku::spool {

// What uses a spool that several daemons share, as far as that is concerned.
struct Claimant {
  // Gets mail that was queued elsewhere, and is this daemon's from now on: entries() has it too.
  std::function<void(const std::vector<mail::QueueEntry>&)> on_claimed = [](const auto&) {};
  // How many mails more it could deliver now.
  std::function<std::size_t()> room = [] { return std::size_t{1000}; };
};

class Store : public mail::MailSink, public mail::MailSource {
 public:
  // Called on the loop's thread, and must not destroy the store.
  using OnArrival = std::function<void(mail::QueueEntry)>;

  // Waits for everything submitted, and lets go of the spool. New requests fail with shutting_down or write_failed from
  // the call on. Must have returned before the object is destroyed.
  virtual Task<void> close() = 0;

  // Called when a commit has become durable, before commit() returns to the session.
  virtual void set_on_arrival(OnArrival on_arrival) = 0;
  // Mail comes by claims from now on. Mail that goes to another daemon needs no call: whoever asks for it later hears
  // unknown_mail, and its final dot never leaves (ContentReader::may_be_sent). Neither ever happens to a spool on
  // the disk.
  virtual void set_claimant(Claimant /*claimant*/) {}

  virtual SpoolCounters counters() const = 0;
  virtual SpoolUse use() const = 0;
  // How long the spool was closed, as far as waiting time is concerned: that much is added to the waiting
  // time of entries().
  virtual Duration downtime() const = 0;
  // What the daemons of a shared spool know together; null: this one is alone.
  virtual mail::SharedAccounts* accounts() { return nullptr; }
};

}  // namespace hikyaku::spool
