// SPDX-License-Identifier: MIT
// Accounts that several nodes of a test share, in memory: answers take their time, are lost, or do not come. The clock
// that all share goes its own way.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "daemon/io/loop.h"
#include "daemon/mail/shared_accounts.h"

namespace hikyaku::test {

struct AccountTable {
  std::map<std::string, std::pair<std::int64_t, std::string>> rows{};  // version and state
  std::int64_t last_version = 0;
  Duration clock_ahead = std::chrono::days(20'000);  // of the steady clock
};

class FakeAccounts final : public mail::SharedAccounts {
 public:
  FakeAccounts(io::Loop& loop, AccountTable& table) : loop_(loop), table_(table) {}

  Task<Result<mail::Account, mail::AccountsError>> get(std::string name) override {
    ++gets;
    auto answered = co_await way();
    if (!answered) co_return std::unexpected(answered.error());
    const auto [version, state] = table_.rows[name];
    const WallTime now = shared_clock();
    auto back = co_await way();
    if (!back) co_return std::unexpected(back.error());
    co_return mail::Account{version, state, now};
  }
  Task<Result<bool, mail::AccountsError>> put(std::string name, std::int64_t version,
                                              std::string state) override {
    ++puts;
    auto answered = co_await way();
    if (!answered) co_return std::unexpected(answered.error());
    const bool is_latest = table_.rows[name].first == version;
    if (is_latest) table_.rows[name] = {++table_.last_version, std::move(state)};
    const bool is_lost = lose_answers > 0 && lose_answers-- > 0;
    co_await io::sleep_until(loop_, loop_.within(delay));
    if (is_lost || is_cut) co_return fail(mail::AccountsErrorKind::unknown, "the answer was lost");
    co_return is_latest;
  }
  unsigned nodes() const override { return nodes_; }
  void set_on_nodes(std::function<void()> on_nodes) override { on_nodes_ = std::move(on_nodes); }
  void set_nodes(unsigned nodes) {
    nodes_ = nodes;
    on_nodes_();
  }
  WallTime shared_clock() const { return WallTime(loop_.now().time_since_epoch() + table_.clock_ahead); }

  bool is_cut = false;
  int lose_answers = 0;  // to so many changes, which are done all the same
  Duration delay = 1ms;  // each way
  int gets = 0, puts = 0;

 private:
  Task<Result<void, mail::AccountsError>> way() {
    co_await io::sleep_until(loop_, loop_.within(delay));
    if (is_cut) co_return fail(mail::AccountsErrorKind::not_done, "the database cannot be reached");
    co_return {};
  }

  io::Loop& loop_;
  AccountTable& table_;
  unsigned nodes_ = 1;
  std::function<void()> on_nodes_ = [] {};
};

}  // namespace hikyaku::test
