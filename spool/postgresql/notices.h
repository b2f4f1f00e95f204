// SPDX-License-Identifier: MIT
// Notices about queued mail that are written and wait for what they tell of: a notice, and the new state or the end of
// its mail, are committed in one transaction or not at all. So a mail has one notice, whoever dies when, and a node that
// has lost the mail has no say in it. Each is bound to the epoch under which its mail was owned when it was written: once
// that is over, nobody can tell whether an earlier try has stored it. Pure.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "spool/budget.h"
#include "spool/postgresql/database.h"
#include "spool/postgresql/owned_mail.h"

namespace hikyaku::postgresql {

struct Notice {
  mail::MailId id;
  OwnedMail mail;      // as it is owned when it is stored
  Statement accept{};  // kAcceptNotice
  bool has_pieces = false;
  spool::Reservation memory{};  // of the content
};

class Notices {
 public:
  void add(mail::MailId about, Notice notice) { waiting_.emplace(about, std::move(notice)); }
  bool has(mail::MailId about) const { return waiting_.contains(about); }
  // The epoch of those about the mail, of which there is one at least.
  std::int64_t epoch(mail::MailId about) const { return waiting_.find(about)->second.mail.epoch; }
  // What stores them: the mail is locked first, so that it stays whose it is until its new state is written, by the
  // statement that the caller adds. Empty: there are none.
  Statements statements(mail::MailId about) const;
  // Of the results of those statements: have they stored the notices, now or when they were run before?
  bool are_stored(mail::MailId about, const Results& results) const;
  std::vector<Notice> take(mail::MailId about);
  // nullopt: there is none of this id, any more.
  std::optional<Notice> take_one(mail::MailId notice);

 private:
  std::multimap<mail::MailId, Notice> waiting_;  // by the mail that they are about
};

}  // namespace hikyaku::postgresql
