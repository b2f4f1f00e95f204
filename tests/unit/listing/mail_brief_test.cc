// SPDX-License-Identifier: MIT
// What lists tell of a mail from the spool's index alone is what its record says, however the spool was left.
#include "daemon/listing/mail_brief.h"

#include <doctest/doctest.h>

#include <fstream>
#include <random>

#include "daemon/base/text.h"
#include "daemon/listing/queue_filter.h"
#include "daemon/listing/queue_listing.h"
#include "daemon/listing/queue_overview.h"
#include "spool/segment.h"
#include "spool/view.h"
#include "tests/support/spool_rig.h"

using namespace hikyaku;
using namespace hikyaku::test;
using namespace hikyaku::listing;

namespace {

constexpr std::string_view kReasons[] = {"", "mailbox over quota", "the mailbox of <{}> is full",
                                         "<> is refused by <{}> at main", "held by anna"};

// Mails in every state, from what a seed says.
struct BriefRig : SpoolRig {
  std::mt19937 random{7};
  std::vector<mail::MailId> ids;

  std::size_t below(std::size_t many) { return random() % many; }
  void fill(std::size_t mails) {
    for (std::size_t i = 0; i < mails; ++i) {
      clock.advance(Duration(std::chrono::milliseconds(below(90'000))));
      ids.push_back(accept(std::string(below(900), 'x'), cat("s", std::to_string(below(3)), "@example.com"),
                           cat("r", std::to_string(i), "@example.net")));
      if (below(3) != 0) try_one(ids.back());
    }
  }
  void try_one(mail::MailId id) {
    mail::Progress progress;
    progress.recipients.resize(1);
    progress.attempts = static_cast<std::uint32_t>(1 + below(4));
    progress.next_wait = Duration(std::chrono::minutes(below(60)));
    progress.held = below(5) == 0;
    progress.smarthost = below(2) == 0 ? "main" : "backup";
    std::string_view reason = kReasons[below(std::size(kReasons))];
    progress.reason = reason;
    if (const auto at = progress.reason.find("{}"); at != std::string::npos)
      progress.reason.replace(at, 2, cat("r", to_text(id), "@example.net"));
    record(id, progress);
  }
  // Most go, so that those which stay are copied.
  void turn_over() {
    for (int i = 0; i < 600; ++i) {
      auto id = accept(std::string(900, 'y'), "gone@example.com", "gone@example.net");
      REQUIRE(loop.run(spool->finish(id)));
    }
  }
};

const mail::RouteState kSent{.now = WallTime(Duration(30000 * 24h))};
mail::RouteState paused(WallTime now) {
  return {.waits_for = mail::WaitsFor::smarthost, .reason = "main is paused", .now = now};
}

struct FilterRow {
  std::string_view name;
  std::string value;
};
const FilterRow kFilters[] = {
    {"state", "active"},   {"state", "waiting"},       {"state", "held"},     {"smarthost", "MAIN"},
    {"reason", "mailbox"}, {"reason", "example.net"},  {"reason", "<...>"},   {"reason", "is paused"},
    {"from", "s1@*"},      {"older_than", "10m"},      {"older_than", "20m"}, {"to", "r1*"},
    {"reason", "anna"},    {"smarthost", "elsewhere"}, {"reason", "no such"},
};

void check_same(const MailBrief& brief, const MailBrief& from_record) {
  CHECK(brief.id == from_record.id);
  CHECK(brief.size == from_record.size);
  CHECK(brief.arrival == from_record.arrival);
  CHECK(brief.written == from_record.written);
  CHECK(brief.next_wait == from_record.next_wait);
  CHECK(brief.attempts == from_record.attempts);
  CHECK(brief.is_held == from_record.is_held);
  CHECK(brief.reason->text == from_record.reason->text);
  CHECK(brief.reason->smarthost == from_record.reason->smarthost);
}

// Groups made of the index and of the records, which must be the same.
struct BothGroups {
  explicit BothGroups(GroupBy by) : of_index(by), of_records(by) {}
  QueueGroups of_index;
  QueueGroups of_records;
};

// Returns how many filters were answered without a record.
std::size_t check_filters(const MailBrief& brief, const spool::ViewedMail& mail,
                          const mail::RouteState& route, WallTime now) {
  std::size_t answered = 0;
  for (const FilterRow& row : kFilters) {
    CAPTURE(row.value);
    for (bool is_operator : {true, false}) {
      QueueFilter filter;
      REQUIRE(set_filter(filter, row.name, row.value, now));
      const auto verdict = filter.judge(brief, route, is_operator);
      if (verdict) CHECK(*verdict == filter.matches(mail, route, is_operator));
      answered += verdict.has_value();
    }
  }
  return answered;
}

void check_all(BriefRig& rig, const mail::RouteState& route) {
  auto disk = spool::open_disk(rig.directory());
  REQUIRE(disk);
  auto view = spool::View::open(**disk);
  REQUIRE(view);
  const WallTime now = rig.clock.wall();
  BothGroups groups[] = {BothGroups(GroupBy::reason), BothGroups(GroupBy::age),
                         BothGroups(GroupBy::smarthost)};
  std::size_t mails = 0;
  std::size_t answered = 0;
  for (const spool::Glance& glance : view->glances_after({}, 1000)) {
    CAPTURE(to_text(glance.id));
    auto brief = brief_of(*view, glance);
    auto mail = view->load(glance.id);
    REQUIRE(brief);
    REQUIRE(mail);
    check_same(*brief, brief_of(*mail));
    answered += check_filters(*brief, *mail, route, now);
    CHECK(state_of(*brief, route, true).state == state_of(*mail, route, true).state);
    for (BothGroups& both : groups) {
      both.of_index.add(*brief, state_of(*brief, route, true), now);
      both.of_records.add(brief_of(*mail), state_of(*mail, route, true), now);
    }
    ++mails;
  }
  CHECK(mails == rig.ids.size());
  CHECK(answered > mails * std::size(kFilters));
  for (const BothGroups& both : groups) CHECK(both.of_index.text() == both.of_records.text());
}

void check_all(BriefRig& rig) {
  check_all(rig, kSent);
  check_all(rig, paused(rig.clock.wall()));
}

// As version 0.1 left it: its footers have no facts.
void forget_facts(const BriefRig& rig) {
  for (const auto& [path, bytes] : rig.files()) {
    const auto decoded = spool::decode_segment_header(bytes);
    if (decoded.verdict != spool::HeaderVerdict::ok) continue;
    const std::uint64_t seed = spool::segment_seed(decoded.header);
    const std::uint64_t end = spool::footer_end(decoded.header.size);
    const auto length = spool::decode_footer_length(
        std::string_view(bytes).substr(end - spool::kFooterTrailer, spool::kFooterTrailer),
        decoded.header.size, seed);
    if (!length) continue;
    const auto footer = spool::decode_footer(bytes.substr(end - *length, *length), decoded.header.size, seed);
    REQUIRE(footer);
    const std::string without = spool::encode_footer(*footer, seed, 0);
    std::fstream file(rig.directory() + "/" + path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(end - *length));
    file << std::string(*length - without.size(), '\0') << without;
  }
}

}  // namespace

TEST_CASE("briefs: the index says what the records say: beside a daemon, after a stop and after a start") {
  BriefRig rig;
  rig.fill(60);
  check_all(rig);
  rig.stop();
  check_all(rig);
  rig.start();
  rig.clock.advance(1s);
  for (int i = 0; i < 20; ++i) rig.try_one(rig.ids[rig.below(rig.ids.size())]);
  check_all(rig);
  rig.turn_over();
  check_all(rig);
  rig.stop();
  check_all(rig);
}

TEST_CASE("briefs: a spool of version 0.1 is listed, grouped and filtered by its records") {
  BriefRig rig;
  rig.fill(40);
  rig.stop();
  const std::vector<std::vector<std::string>> questions = {{"queue", "--by", "reason"},
                                                           {"queue", "--by", "age"},
                                                           {"queue", "--count", "--state", "held"},
                                                           {"queue", "--count", "--reason", "mailbox"},
                                                           {"queue", "--sort", "attempts"},
                                                           {"queue"}};
  std::vector<std::string> answers;
  for (const auto& words : questions) answers.push_back(rig.run(words).out);
  forget_facts(rig);
  auto disk = spool::open_disk(rig.directory());
  auto view = spool::View::open(**disk);
  REQUIRE(view);
  for (const spool::Glance& glance : view->glances_after({}, 1000)) CHECK_FALSE(glance.has_facts());
  for (std::size_t i = 0; i < questions.size(); ++i) CHECK(rig.run(questions[i]).out == answers[i]);
  rig.start();  // what is written from now on has facts again
  for (mail::MailId id : rig.ids) rig.try_one(id);
  CHECK(rig.run({"queue", "--count"}).out == "40\n");
}

TEST_CASE("briefs: one record is read for each reason, however many mails wait for it") {
  BriefRig rig;
  for (int i = 0; i < 50; ++i) {
    auto id = rig.accept("x", "a@example.com", "b@example.com");
    rig.record(id, deferral(1, {{mail::RecipientState::pending, "451 later"}}));
  }
  rig.stop();
  auto disk = spool::open_disk(rig.directory());
  auto view = spool::View::open(**disk);
  REQUIRE(view);
  auto glances = view->glances_after({}, 1000);
  REQUIRE(glances.size() == 50);
  auto first = brief_of(*view, glances.front());
  REQUIRE(first);
  CHECK(first->reason->text == "the smarthost said not now");
  rig.damage("the smarthost said not now");
  for (std::size_t i = 1; i < glances.size(); ++i)
    CHECK(brief_of(*view, glances[i])->reason == first->reason);
}

TEST_CASE("briefs: each order has what its name says first") {
  const WallTime noon(Duration(20000 * 24h));
  auto brief = [&](unsigned id, Duration age, std::uint64_t size, std::uint32_t attempts) {
    return MailBrief{.id = {id},
                     .size = size,
                     .arrival = noon - age,
                     .written = noon,
                     .next_wait = Duration(std::chrono::minutes(id)),
                     .attempts = attempts,
                     .is_held = id == 3,
                     .reason = mail::make_common_reason("", "")};
  };
  const MailBrief mails[] = {brief(1, 2h, 10, 3), brief(2, 3h, 30, 1), brief(3, 1h, 20, 2),
                             brief(4, 5h, 5, 0)};
  const mail::RouteState route{.now = noon};
  auto order = [&](std::string_view name) {
    auto by = parse_sort_by(name);
    REQUIRE(by);
    std::vector<std::pair<std::int64_t, mail::MailId>> sorted;
    for (const MailBrief& mail : mails)
      sorted.emplace_back(sort_key(*by, mail, state_of(mail, route, true)), mail.id);
    std::ranges::sort(sorted);
    std::vector<std::uint64_t> ids;
    for (const auto& [key, id] : sorted) ids.push_back(id.value);
    return ids;
  };
  CHECK(order("age") == std::vector<std::uint64_t>{4, 2, 1, 3});
  CHECK(order("time") == std::vector<std::uint64_t>{3, 1, 2, 4});
  CHECK(order("size") == std::vector<std::uint64_t>{2, 3, 1, 4});
  CHECK(order("next") == std::vector<std::uint64_t>{4, 1, 2, 3});
  CHECK(order("attempts") == std::vector<std::uint64_t>{1, 3, 2, 4});
  CHECK_FALSE(parse_sort_by("colour"));
}
