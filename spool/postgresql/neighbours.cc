// SPDX-License-Identifier: MIT
#include "spool/postgresql/neighbours.h"

#include <algorithm>
#include <map>
#include <utility>

#include "daemon/base/text.h"
#include "spool/postgresql/fleet_statements.h"
#include "spool/postgresql/statements.h"

namespace hikyaku::postgresql {

using mail::Decided;
using mail::Decision;
using mail::MailId;
using mail::SourceError;
using mail::SourceErrorKind;

namespace {

constexpr Duration kReportAge = 5s;
constexpr Duration kOldestReport = 1min;
constexpr Duration kLongestReport = 2s;
constexpr std::int64_t kMostCounted = 100'000;  // of each node, and of free mail: beyond that, more or less
constexpr Duration kLook = 1s;                  // how often a node looks whether something is asked of it
constexpr Duration kLookForAnswer = 200ms;
constexpr Duration kLongestAnswer = 10s;
constexpr std::int64_t kMostAsked = 500;  // at a time
constexpr std::uint64_t kLooksBetweenSweeps = 600;

MailId mail_in(const Rows& rows, std::size_t row, std::size_t column) {
  return {static_cast<std::uint64_t>(rows.number(row, column))};
}

Statements for_each(const Query& query, const std::vector<MailId>& ids,
                    std::optional<std::int64_t> epoch = {}) {
  Statements statements;
  for (MailId id : ids) {
    std::vector<Value> values = {id_value(id)};
    if (epoch) values.insert(values.begin(), number(*epoch));
    statements.push_back({&query, std::move(values)});
  }
  return statements;
}

// Of rows of kNodes, as far as it is about one node.
mail::NodeReport node_in(const Rows& rows, std::size_t row, WallTime now, const LeaseOptions& options) {
  const WallTime alive_until = now + Duration(rows.number(row, 3));
  mail::NodeReport node{.name = std::string(rows.bytes(row, 1)),
                        .started = now + Duration(rows.number(row, 2)),
                        .alive_until = alive_until,
                        .mails = static_cast<std::size_t>(rows.number(row, 4)),
                        .held = static_cast<std::size_t>(rows.number(row, 5))};
  if (alive_until < now) node.free_at = alive_until + options.lease / 2 + options.takeover;
  return node;
}

std::optional<Decided::Result> result_in(std::int64_t number) {
  const bool is_known = number >= 0 && number <= static_cast<std::int64_t>(Decided::Result::refused);
  return is_known ? std::optional(static_cast<Decided::Result>(number)) : std::nullopt;
}

}  // namespace

// ---- what there is

// Whoever asks waits for a database that is slow only for a moment: an older report is better than none.
Task<Result<mail::FleetReport, SourceError>> Neighbours::report() {
  const Instant begun = core_.loop.now();
  const bool is_fresh = report_ && begun - reported_ < kReportAge;
  if (!is_fresh && !std::exchange(is_refreshing_, true)) nursery_.spawn(refresh());
  const io::Until until = core_.loop.within(kLongestReport);
  while (!is_fresh && is_refreshing_) {
    auto woken = co_await refreshed_.wait(until);
    if (woken != io::Woken::ready) break;
  }
  const bool is_usable = report_ && core_.loop.now() - reported_ < kOldestReport;
  if (is_usable) co_return *report_;
  if (trouble_) co_return std::unexpected(*trouble_);
  co_return fail(SourceErrorKind::read_failed, "the spool's database does not answer");
}

Task<void> Neighbours::refresh() {
  auto found = co_await read({{&kNodes, {number(kMostCounted)}}, {&kQueue, {}}});
  trouble_.reset();
  if (found) {
    report_ = report_in(found->front(), found->back());
    reported_ = core_.loop.now();
  } else {
    trouble_ = found.error();
  }
  is_refreshing_ = false;
  refreshed_.notify();
}

// Of what is not counted to its end, the server's own account says how much there is, or was a while ago.
mail::FleetReport Neighbours::report_in(const Rows& nodes, const Rows& queue) const {
  const WallTime now = core_.loop.clock().wall();
  mail::FleetReport report;
  for (std::size_t row = 0; row < nodes.size(); ++row) {
    const bool is_node = !nodes.is_null(row, 0), is_cut_off = nodes.number(row, 4) >= kMostCounted;
    mail::NodeReport node = node_in(nodes, row, now, core_.options.lease);
    if (!is_node && is_cut_off)
      node.mails =
          std::max(node.mails, static_cast<std::size_t>(std::max<std::int64_t>(queue.number(0, 1), 0)));
    report.is_estimate = report.is_estimate || is_cut_off;
    report.mails += node.mails;
    report.held += node.held;
    node.is_this = is_node && nodes.number(row, 0) == core_.lease.epoch();
    if (is_node)
      report.nodes.push_back(std::move(node));
    else
      report.free = node.mails;
  }
  auto oldest = queue.is_null(0, 0) ? std::nullopt : spool::decode_message_head(queue.bytes(0, 0));
  if (oldest) report.oldest = oldest->arrival;
  return report;
}

Task<Result<std::vector<mail::Fleet::Found>, SourceError>> Neighbours::find(std::vector<MailId> ids) {
  auto rows = co_await read(for_each(kLookAt, ids));
  if (!rows) co_return std::unexpected(rows.error());
  const WallTime now = core_.loop.clock().wall();
  std::vector<Found> found;
  for (const Rows& row : *rows) {
    if (row.empty()) continue;
    Found mail{.id = mail_in(row, 0, kIdColumn),
               .holder = holder_in(row, 0, now, core_.options.lease.lease, core_.options.lease.takeover)};
    mail.is_ours = row.number(0, kOwnerColumn) == core_.lease.epoch();
    auto head = decode_head(row.bytes(0, kEnvelopeColumn), row.value(0, kProgressColumn));
    if (head && row.bytes(0, kOriginColumn) == core_.options.lease.node)
      mail.uid = head->message.envelope.uid;
    found.push_back(std::move(mail));
  }
  co_return found;
}

// ---- free mail

Task<Result<std::vector<mail::QueueEntry>, SourceError>> Neighbours::take(std::vector<MailId> ids) {
  const std::int64_t epoch = core_.lease.epoch();
  auto taken = co_await write(for_each(kTake, ids, epoch));
  if (!taken) {
    core_.claims.note_doubt();
    co_return std::unexpected(taken.error());
  }
  std::vector<mail::QueueEntry> entries;
  for (const Rows& rows : *taken)
    for (const mail::QueueEntry& entry : core_.claims.take_in(rows, epoch)) entries.push_back(entry);
  co_return entries;
}

Task<Result<std::size_t, SourceError>> Neighbours::make_due(std::vector<MailId> ids) {
  auto made = co_await write(for_each(kMakeDue, ids));
  if (!made) co_return std::unexpected(made.error());
  core_.tell_of_free_mail();
  co_return static_cast<std::size_t>(
      std::ranges::count_if(*made, [](const Rows& rows) { return !rows.empty(); }));
}

Task<Result<std::size_t, SourceError>> Neighbours::make_all_due() {
  auto made = co_await write({{&kMakeAllDue, {}}});
  if (!made) co_return std::unexpected(made.error());
  core_.tell_of_free_mail();
  co_return static_cast<std::size_t>(made->front().number(0, 0));
}

// ---- others' mail

Task<std::vector<Decided>> Neighbours::ask(std::vector<MailId> ids, Decision decision, std::string by) {
  std::vector<Decided> answers;
  for (MailId id : ids) answers.push_back({.id = id, .result = Decided::Result::refused});
  auto refuse_all = [&](const std::string& why) {
    for (Decided& answer : answers) answer.why = why;
    return answers;
  };
  auto number_given = co_await request_number();
  if (!number_given) co_return refuse_all(number_given.error().text);
  Statements asks;
  for (MailId id : ids)
    asks.push_back(
        {&kAsk,
         {number(*number_given), id_value(id), number(static_cast<std::int64_t>(decision)), text(by)}});
  auto asked = co_await write(std::move(asks));
  if (!asked) co_return refuse_all(asked.error().text);
  co_await wait_for_answers(*number_given, answers);
  (void)co_await write({{&kTakeBack, {number(*number_given)}}});  // else a sweep does it
  co_return answers;
}

// Those without an answer in the end stay as they are: refused, and without a reason.
Task<void> Neighbours::wait_for_answers(std::int64_t request, std::vector<Decided>& answers) {
  const Instant end = core_.loop.now() + kLongestAnswer;
  for (std::size_t missing = answers.size(); missing > 0 && core_.loop.now() < end;) {
    auto woken = co_await io::sleep_until(core_.loop, core_.loop.within(kLookForAnswer, &cancel_));
    if (woken == io::Woken::cancelled) co_return;
    auto found = co_await read({{&kAnswers, {number(request)}}});
    if (!found) continue;
    const Rows& rows = found->front();
    missing = answers.size() - std::min(answers.size(), rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) {
      auto answer = std::ranges::find(answers, mail_in(rows, row, 0), &Decided::id);
      if (answer == answers.end()) continue;
      answer->result = result_in(rows.number(row, 1)).value_or(Decided::Result::refused);
      answer->why = std::string(rows.bytes(row, 2));
    }
  }
}

Task<void> Neighbours::ask_all_to_retry(std::string by) {
  auto number_given = co_await request_number();
  if (!number_given) co_return;
  (void)co_await write({{&kAskAll,
                         {number(*number_given), number(core_.lease.epoch()),
                          number(static_cast<std::int64_t>(Decision::retry)), text(by)}}});
}

Task<Result<std::int64_t, SourceError>> Neighbours::request_number() {
  auto given = co_await read({{&kRequestNumber, {}}});
  if (!given) co_return std::unexpected(given.error());
  co_return given->front().number(0, 0);
}

// ---- what others ask

void Neighbours::serve(Obey obey) {
  const bool begins = obey && !obey_;
  obey_ = std::move(obey);
  if (begins) nursery_.spawn(keep());
}

Task<void> Neighbours::end() {
  cancel_.request();
  co_await nursery_.drained({});
}

Duration Neighbours::pause() const { return std::min(kLook, core_.options.lease.lease / 4); }

Task<void> Neighbours::keep() {
  for (std::uint64_t looks = 1;; ++looks) {
    auto woken = co_await io::sleep_until(core_.loop, core_.loop.within(pause(), &cancel_));
    if (woken == io::Woken::cancelled) co_return;
    if (!obey_) co_return;
    co_await obey_all();
    if (looks % kLooksBetweenSweeps == 0) (void)co_await write({{&kSweepRequests, {}}});
  }
}

// One task for each request and decision: those of a request have all the same, and share the next commit.
Task<void> Neighbours::obey_all() {
  auto asked = co_await read({{&kAsked, {number(core_.lease.epoch()), number(kMostAsked)}}});
  if (!asked) co_return;
  struct Request {
    std::int64_t decision = 0;
    std::string by;
    std::vector<MailId> ids;
  };
  std::map<std::int64_t, Request> requests;
  Rows& rows = asked->front();
  for (std::size_t row = 0; row < rows.size(); ++row) {
    Request& request = requests[rows.number(row, 0)];
    request.ids.push_back(mail_in(rows, row, 1));
    request.decision = rows.number(row, 2);
    request.by = rows.take(row, 3);
  }
  for (auto& [request_number, request] : requests) {
    const bool is_known =
        obey_ && request.decision >= 0 && request.decision <= static_cast<std::int64_t>(Decision::retry);
    if (is_known)
      co_await obey(request_number, static_cast<Decision>(request.decision), request.by,
                    std::move(request.ids));
  }
}

// Mail 0 is all of it.
Task<void> Neighbours::obey(std::int64_t request, Decision decision, std::string by,
                            std::vector<MailId> ids) {
  const std::int64_t epoch = core_.lease.epoch();
  const bool is_about_all = ids.front() == MailId();
  auto answers =
      co_await obey_(is_about_all ? std::vector<MailId>() : std::move(ids), decision, std::move(by));
  if (is_about_all) answers = {{.id = MailId()}};
  Statements statements;
  for (const Decided& answer : answers)
    statements.push_back({&kAnswer,
                          {number(request), id_value(answer.id), number(epoch),
                           number(static_cast<std::int64_t>(answer.result)), text(answer.why)}});
  (void)co_await write(std::move(statements));
}

Task<Result<Results, SourceError>> Neighbours::read(Statements statements) {
  auto results = co_await core_.reads.run(std::move(statements));
  if (!results) co_return std::unexpected(to_source_error(SourceErrorKind::read_failed, results.error()));
  co_return std::move(*results);
}

Task<Result<Results, SourceError>> Neighbours::write(Statements statements) {
  auto results = co_await core_.commits.run(std::move(statements));
  if (!results) co_return std::unexpected(to_source_error(SourceErrorKind::write_failed, results.error()));
  co_return std::move(*results);
}

}  // namespace hikyaku::postgresql
