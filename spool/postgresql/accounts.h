// SPDX-License-Identifier: MIT
// The small values that the nodes share, as rows of the table `account`. Whoever changes one names the version that it
// has read, so no lock is held from one round trip to the next; a version is a number that its writer draws, so that a
// writer whose answer was lost finds out by asking again. The loop's thread.
#pragma once

#include <functional>
#include <string>

#include "daemon/io/loop.h"
#include "daemon/mail/shared_accounts.h"
#include "spool/postgresql/database.h"
#include "spool/postgresql/lease.h"

namespace hikyaku::postgresql {

class Accounts final : public mail::SharedAccounts {
 public:
  // All outlive the object. `patience`: for how long an answer that was lost is looked for. The transactions of the
  // database have one row each: two nodes that change several never wait for each other in a circle.
  Accounts(io::Loop& loop, Database& database, Lease& lease, Duration patience)
      : loop_(loop), database_(database), lease_(lease), patience_(patience) {}

  Task<Result<mail::Account, mail::AccountsError>> get(std::string name) override;
  Task<Result<bool, mail::AccountsError>> put(std::string name, std::int64_t version,
                                              std::string state) override;
  unsigned nodes() const override { return lease_.nodes(); }
  void set_on_nodes(std::function<void()> on_nodes) override { lease_.set_on_nodes(std::move(on_nodes)); }

 private:
  io::Loop& loop_;
  Database& database_;
  Lease& lease_;
  Duration patience_;
};

}  // namespace hikyaku::postgresql
