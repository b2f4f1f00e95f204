// SPDX-License-Identifier: MIT
// What is queued in a shared spool, at whichever node, as commands and the control socket list it. Reads a page of mails
// at a time, each with a statement of its own by the last id, so that neither memory nor the time of a page depends on
// the queue, and no transaction stays open while somebody looks at a list. Times are told by the reader's clock: the
// database says only how long ago, and in how long. Blocking; one thread at a time.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "spool/postgresql/blocking_database.h"
#include "spool/queue_view.h"

namespace hikyaku::postgresql {

// The fleet that the mail belongs to, as the reader's own configuration has it.
struct SharedPlace {
  std::string url;
  // Of this machine: the numbers of users mean something only in mail that was accepted here.
  std::string node;
  Duration lease = 30s;
  Duration takeover = 2min;
};

class DatabaseView final : public spool::QueueView {
 public:
  static Result<std::unique_ptr<DatabaseView>, StartError> open(SharedPlace place);
  // Of a database that is open.
  DatabaseView(std::unique_ptr<BlockingDatabase> database, SharedPlace place)
      : database_(std::move(database)), place_(std::move(place)) {}

  BlockingDatabase& database() { return *database_; }

  // QueueView
  bool is_live() const override { return true; }
  std::optional<std::size_t> expected_mails() const override { return std::nullopt; }
  Result<std::vector<spool::Glance>, spool::ViewError> page_after(mail::MailId id,
                                                                  std::size_t limit) override;
  // There are no facts: what a mail of the page needs to say, the page has.
  mail::CommonReasonPtr reason_of(const spool::Glance&) override { return nullptr; }
  Result<spool::ViewedMail, mail::SourceError> load(mail::MailId id) override;
  std::vector<spool::PastProgress> history() override { return {}; }  // only the newest state is stored
  Result<void, mail::SourceError> read_content(mail::MailId id, const Take& take) override;
  Result<void, mail::SourceError> verify_content(mail::MailId id) override;

 private:
  Result<Rows, mail::SourceError> ask_for(Statement statement);
  Result<spool::ViewedMail, mail::SourceError> viewed(const Rows& rows, std::size_t row, WallTime now) const;

  std::unique_ptr<BlockingDatabase> database_;
  SharedPlace place_;
  Rows page_;
  std::map<mail::MailId, std::size_t> rows_;  // of page_
  WallTime read_{};                           // when page_ was
};

}  // namespace hikyaku::postgresql
