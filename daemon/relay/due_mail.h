// SPDX-License-Identifier: MIT
// What is queued and not under way: it waits for its time, looks for its way, or is due on a route. Where
// recipients of one mail take different routes, the mail is divided into parts, one for each route, which are due
// and wait by themselves. The loop's thread.
#pragma once

#include <deque>
#include <functional>
#include <vector>

#include "daemon/io/nursery.h"
#include "daemon/log/mail_log.h"
#include "daemon/mail/mail_source.h"
#include "daemon/relay/parts.h"
#include "daemon/relay/routes.h"
#include "daemon/relay/schedule.h"
#include "daemon/relay/withheld.h"

namespace hikyaku::relay {

class DueMail {
 public:
  // Gets a mail of which no recipient is pending, but whose sender is owed a notice.
  using OnOwed = std::function<void(mail::QueuedMail, Entry)>;

  // All outlive the object. `changed` is notified when next_look() comes sooner.
  DueMail(io::Loop& loop, mail::MailSource& source, log::MailLog& log, Routes& routes, io::Event& changed,
          OnOwed on_owed);

  // Once with what the spool holds at the start, before the routes are known; and then with what this daemon has claimed
  // of a shared spool.
  void adopt(const std::vector<mail::QueueEntry>& entries, Duration downtime);
  // To be called before the routes change their shape: everything looks for its way again.
  void leave_routes();
  // To be called when the routes have their new lanes.
  void enter_routes();

  // The mail, or this part of it, is due; with `first` it is the next.
  void place(Entry entry, bool first = false);
  // The same where the route is known. If its destination rests, the mail waits until that is over.
  void add_due(const RoutePtr& route, Entry entry, bool first = false);
  // `entry` of this mail is due on one route or several: one part for each that pending recipients take.
  void divide(mail::QueuedMail mail, Entry entry);
  void postpone(Entry entry, Duration wait);
  // The mail could not be read.
  void set_aside(Entry entry, const mail::SourceError& error);
  // How often the routes have changed.
  std::uint64_t shape() const { return shape_; }

  // The mail is held: its entries are passed over until it is released.
  void hold(mail::MailId id);
  // The same where this, its only entry, has been taken out.
  void hold(Entry entry);
  void release(mail::MailId id);  // it is due now
  // The mail has ended, although it has entries here.
  void end(mail::MailId id);
  // The entry has been taken from its route. True: it is not to be sent.
  bool passes_over(const Entry& entry) { return withheld_.passes_over(entry); }

  // All that waits becomes due, or those of `ids`.
  void release_all() { schedule_.release_all(); }
  void retry(const std::vector<mail::MailId>& ids) { schedule_.retry(ids); }
  // A round (Emptying): all that waits becomes due, and what must wait again does so until the round's end; then
  // it is due.
  void begin_round();
  void end_round();
  // All that is due is on its route.
  bool is_settled() const;
  // What has become due goes to its route.
  void release_due();
  Instant next_look() const;
  // Looks for no more ways. No task is left when it returns.
  Task<void> stop();

  // In parts: all, and those that wait for a time.
  std::size_t size() const;
  std::size_t waiting() const { return schedule_.waiting(); }
  std::size_t unsorted() const {
    return unsorted_.size() + sorting_;
  }  // due, on a route that is not known yet
  std::size_t held() const { return withheld_.mails() + damaged_; }
  Parts& parts() { return parts_; }
  const Parts& parts() const { return parts_; }

 private:
  Task<void> sort_mail();
  Task<void> sort(Entry entry);

  io::Loop& loop_;
  mail::MailSource& source_;
  log::MailLog& log_;
  Routes& routes_;
  io::Event& changed_;
  OnOwed on_owed_;
  Schedule schedule_;
  Parts parts_;
  bool knows_routes_ = false;
  std::uint64_t shape_ = 0;
  std::deque<Entry> unsorted_;  // due, on a route that is not known yet
  bool is_sorting_ = false;
  std::size_t sorting_ = 0;  // taken from unsorted_, and being looked at
  Withheld withheld_;
  std::size_t damaged_ = 0;  // of these there is no entry
  bool is_in_round_ = false;
  bool is_stopping_ = false;
  io::Nursery nursery_;
};

}  // namespace hikyaku::relay
