// SPDX-License-Identifier: MIT
#include "spool/postgresql/group_commit.h"

#include <utility>

#include "spool/postgresql/statements.h"

namespace hikyaku::postgresql {
namespace {

constexpr std::size_t kMostRequests = 512;
constexpr std::size_t kMostBytes = 8U << 20;
constexpr Duration kBetweenRuns = 200ms;
// A transaction costs node and server as much as some messages do: below so many it is worth waiting for a few more.
constexpr std::size_t kFew = 16;
constexpr Duration kLongestGathering = 2ms;

std::size_t size_of(const Statements& statements) {
  std::size_t bytes = 0;
  for (const Statement& statement : statements)
    for (const Value& value : statement.values) bytes += value ? value->size() : 0;
  return bytes;
}

}  // namespace

// A first run may have been committed, but not yet be where it must be before it counts. The second then finds everything
// done and would write nothing, and a transaction that writes nothing waits for no disk and no standby.
Task<Result<Results, DatabaseError>> insist(io::Loop& loop, Database& database, Statements statements,
                                            Patience patience) {
  const Instant end = loop.now() + patience.time;
  bool is_unknown = false;
  for (;;) {
    auto results = co_await database.run(statements);
    if (results) co_return results;
    const DatabaseErrorKind kind = results.error().kind;
    if (kind == DatabaseErrorKind::lost && !std::exchange(is_unknown, true))
      statements.push_back({&kMark, {}});
    const bool goes_on = kind != DatabaseErrorKind::refused && (is_unknown || patience.also_unreachable);
    if (!goes_on || loop.now() >= end)
      co_return fail(is_unknown ? DatabaseErrorKind::lost : kind, std::move(results.error().text));
    co_await io::sleep_until(loop, loop.within(kBetweenRuns));
  }
}

Task<Result<Results, DatabaseError>> GroupCommit::run(Statements statements) {
  Request request(loop_, std::move(statements));
  waiting_.push_back(&request);
  if (waiting_.size() >= expected_) is_complete_.notify();
  if (!std::exchange(is_running_, true)) loop_.defer([this] { nursery_.spawn(work()); });
  while (!request.outcome) co_await request.waiter.park({});
  co_return std::move(*request.outcome);
}

Task<void> GroupCommit::drained() {
  while (is_running_) co_await idle_.wait({});
  co_await nursery_.drained({});
}

Task<void> GroupCommit::work() {
  while (!waiting_.empty()) {
    Group group = take();
    const std::size_t released = group.size();
    co_await commit(std::move(group));
    co_await gather(released);
  }
  is_running_ = false;
  idle_.notify();
}

// Those whom a commit has released mostly come back at once. If the next one began without them, two halves would wait for
// each other's commits for ever. Where they are many that is well: the one works while the other's commit is under way.
// Nobody waits who is alone.
Task<void> GroupCommit::gather(std::size_t released) {
  expected_ = waiting_.size() + released;
  if (waiting_.empty() || expected_ > kFew) co_return;
  const io::Until until = loop_.within(kLongestGathering);
  io::Woken woken = io::Woken::ready;
  while (woken == io::Woken::ready && waiting_.size() < expected_) woken = co_await is_complete_.wait(until);
}

GroupCommit::Group GroupCommit::take() {
  Group group;
  for (std::size_t bytes = 0; !waiting_.empty() && group.size() < kMostRequests && bytes < kMostBytes;) {
    group.push_back(waiting_.front());
    bytes += size_of(group.back()->statements);
    waiting_.pop_front();
  }
  return group;
}

Task<void> GroupCommit::commit(Group group) {
  Statements all;
  for (Request* request : group)
    all.insert(all.end(), request->statements.begin(), request->statements.end());
  auto results = co_await insist_timed(std::move(all));
  const bool is_spoiled = !results && results.error().kind == DatabaseErrorKind::refused && group.size() > 1;
  if (!is_spoiled) co_return hand_back(group, std::move(results));
  for (Request* request : group) {
    auto alone = co_await insist_timed(request->statements);
    hand_back({request}, std::move(alone));
  }
}

Task<Result<Results, DatabaseError>> GroupCommit::insist_timed(Statements statements) {
  const Instant begun = loop_.now();
  auto results = co_await insist(loop_, database_, std::move(statements), {.time = patience_});
  if (results) counters_.flush_times.add(loop_.now() - begun);
  co_return results;
}

void GroupCommit::hand_back(const Group& group, Result<Results, DatabaseError> results) {
  ++counters_.batches;
  std::size_t at = 0;
  for (Request* request : group) {
    if (!results) {
      request->outcome.emplace(std::unexpected(results.error()));
    } else {
      Results own;
      for (std::size_t i = 0; i < request->statements.size(); ++i) own.push_back(std::move((*results)[at++]));
      request->outcome.emplace(std::move(own));
      ++counters_.records;
    }
    request->waiter.wake();
  }
}

}  // namespace hikyaku::postgresql
