// SPDX-License-Identifier: MIT
#include "spool/postgresql/accounts.h"

#include <utility>

#include "daemon/base/random.h"
#include "daemon/base/text.h"
#include "spool/postgresql/group_commit.h"
#include "spool/postgresql/statements.h"

namespace hikyaku::postgresql {
namespace {

std::int64_t new_version() { return static_cast<std::int64_t>(random_number() >> 1 | 1); }

mail::AccountsError in_words(const DatabaseError& error) {
  const bool is_known = error.kind != DatabaseErrorKind::lost;
  return {is_known ? mail::AccountsErrorKind::not_done : mail::AccountsErrorKind::unknown,
          cat("the spool's database ",
              error.kind == DatabaseErrorKind::refused ? "refuses" : "cannot be reached", ": ", error.text)};
}

}  // namespace

Task<Result<mail::Account, mail::AccountsError>> Accounts::get(std::string name) {
  auto found = co_await database_.run(Statements{{&kGetAccount, {text(name)}}});
  if (!found) co_return std::unexpected(in_words(found.error()));
  Rows& rows = found->front();
  co_return mail::Account{rows.number(0, 1), rows.take(0, 2), WallTime(Duration(rows.number(0, 0)))};
}

// The same statement tells what has become of its first run.
Task<Result<bool, mail::AccountsError>> Accounts::put(std::string name, std::int64_t version,
                                                      std::string state) {
  auto done = co_await insist(
      loop_, database_,
      Statements{{&kPutAccount, {text(name), number(version), number(new_version()), std::move(state)}}},
      {.time = patience_, .also_unreachable = false});
  if (!done) co_return std::unexpected(in_words(done.error()));
  co_return done->front().flag(0, 0);
}

}  // namespace hikyaku::postgresql
