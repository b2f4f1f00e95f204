// SPDX-License-Identifier: MIT
// The other nodes of a shared spool. Who they are and what they have is read from the database, at most once in some
// seconds. What an operator decides about the mail of another living node is a row that its owner finds, obeys and
// answers; nobody but the owner ever changes such mail. The loop's thread.
#pragma once

#include <string>
#include <vector>

#include "daemon/mail/fleet.h"
#include "spool/postgresql/core.h"

namespace hikyaku::postgresql {

class Neighbours final : public mail::Fleet {
 public:
  // Outlived by the core.
  explicit Neighbours(Core& core) : core_(core), refreshed_(core.loop), nursery_(core.loop) {}
  // Answers no more requests.
  Task<void> end();

  // mail::Fleet
  Task<Result<mail::FleetReport, mail::SourceError>> report() override;
  Task<Result<std::vector<Found>, mail::SourceError>> find(std::vector<mail::MailId> ids) override;
  Task<Result<std::vector<mail::QueueEntry>, mail::SourceError>> take(std::vector<mail::MailId> ids) override;
  Task<Result<std::size_t, mail::SourceError>> make_due(std::vector<mail::MailId> ids) override;
  Task<Result<std::size_t, mail::SourceError>> make_all_due() override;
  Task<std::vector<mail::Decided>> ask(std::vector<mail::MailId> ids, mail::Decision decision,
                                       std::string by) override;
  Task<void> ask_all_to_retry(std::string by) override;
  void serve(Obey obey) override;

 private:
  Task<void> refresh();
  mail::FleetReport report_in(const Rows& nodes, const Rows& queue) const;
  Task<Result<Results, mail::SourceError>> read(Statements statements);
  Task<Result<Results, mail::SourceError>> write(Statements statements);
  Task<Result<std::int64_t, mail::SourceError>> request_number();
  Task<void> wait_for_answers(std::int64_t number, std::vector<mail::Decided>& answers);
  Task<void> keep();
  Task<void> obey_all();
  Task<void> obey(std::int64_t number, mail::Decision decision, std::string by,
                  std::vector<mail::MailId> ids);
  Duration pause() const;

  Core& core_;
  Obey obey_;
  std::optional<mail::FleetReport> report_;
  Instant reported_{};
  std::optional<mail::SourceError> trouble_;  // of the last try
  bool is_refreshing_ = false;
  io::Event refreshed_;
  io::Cancel cancel_;
  io::Nursery nursery_;
};

}  // namespace hikyaku::postgresql
