// SPDX-License-Identifier: MIT
// A spool in a PostgreSQL database that several daemons share: the front, as Spool is of the log on the disk. Who accepts
// a mail owns it, and delivers it; what a node leaves behind that stops or dies becomes the others'. An acknowledged mail
// is committed in the database. DESIGN.md has tables and promises. The loop's thread.
//
// Lifetime: open() makes it; close() must have returned before it is destroyed. It must outlive its writers and readers;
// loop and databases must outlive it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "spool/postgresql/body.h"
#include "spool/postgresql/core.h"
#include "spool/postgresql/neighbours.h"
#include "spool/postgresql/schema.h"
#include "spool/store.h"

namespace hikyaku::postgresql {

class SharedSpool final : public spool::Store {
 public:
  using OnTrouble = std::function<void(const std::optional<std::string>&)>;

  // Checks schema and server, and enters as a new node, which owns nothing yet.
  static Task<Result<std::unique_ptr<SharedSpool>, SchemaError>> open(io::Loop& loop, Databases databases,
                                                                      SharedOptions options);
  ~SharedSpool() override;

  // What the operator should know of the server; for the log.
  const std::vector<std::string>& notes() const { return notes_; }
  mail::Fleet& fleet() { return neighbours_; }
  // Why new mail is refused, in a sentence; nullopt: it is not.
  std::optional<std::string> trouble() const;
  // Called when a trouble begins, and with nullopt when it is over.
  void set_on_trouble(OnTrouble on_trouble);

  // spool::Store
  Task<void> close() override;  // this node's mail becomes the others' at once
  void set_on_arrival(OnArrival on_arrival) override;
  void set_claimant(spool::Claimant claimant) override;
  spool::SpoolCounters counters() const override;
  spool::SpoolUse use() const override;
  Duration downtime() const override { return Duration{0}; }
  mail::SharedAccounts* accounts() override { return &core_->accounts; }

  // mail::MailSink
  Result<void, mail::SinkError> may_accept(std::uint64_t expected_size) override;
  std::unique_ptr<mail::EnvelopeRoom> envelope_room() override;
  Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> begin() override;
  Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> begin_notice(mail::MailId about) override;
  void withdraw_notice(mail::MailId notice) override;
  Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> begin_handed_over(
      const mail::Handover& handover) override;
  Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> begin_from_file() override;
  void forget_file(mail::MailId id) override;

  // mail::MailSource
  std::vector<mail::QueueEntry> entries() const override;
  Task<Result<bool, mail::SourceError>> has(mail::MailId id) override;
  Task<Result<std::shared_ptr<mail::MailRoom>, mail::SourceError>> make_room(
      mail::MailId id, mail::Patience patience) override;
  Task<Result<mail::QueuedMail, mail::SourceError>> load(mail::MailId id) override;
  Result<std::unique_ptr<mail::ContentReader>, mail::SourceError> open(mail::MailId id) override;
  Task<Result<mail::Recorded, mail::SourceError>> record(mail::MailId id, mail::Progress progress,
                                                         mail::MayGo may_go) override;
  Task<Result<void, mail::SourceError>> finish(mail::MailId id) override;

 private:
  explicit SharedSpool(std::unique_ptr<Core> core) : core_(std::move(core)), neighbours_(*core_) {}
  // Null: it is not this node's, at the latest since its lease has ended.
  OwnedMail* find_own(mail::MailId id) const;
  Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> begin_as(Origin origin);
  // Runs the statement for the epoch that the mail is owned under, with the notices that wait for it; unknown_mail if
  // the mail is not owned any more, or if it `replaces` the record of another node that it does not know. Returns
  // OwnedMail::found as of then.
  Task<Result<std::uint64_t, mail::SourceError>> change(mail::MailId id, bool replaces,
                                                        std::function<Statement(std::int64_t)> statement);

  std::unique_ptr<Core> core_;
  Neighbours neighbours_;
  std::vector<std::string> notes_;
};

}  // namespace hikyaku::postgresql
