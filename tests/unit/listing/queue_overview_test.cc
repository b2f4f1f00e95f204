// SPDX-License-Identifier: MIT
// The queue on one screen, counted in groups, and filtered.
#include "daemon/listing/queue_overview.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "daemon/base/text.h"
#include "daemon/listing/queue_filter.h"
#include "daemon/listing/queue_listing.h"

using namespace hikyaku;
using namespace hikyaku::listing;
using mail::QueueState;
using mail::WaitsFor;

namespace {

const WallTime kNoon = WallTime(Duration(20000 * 24h + 12h));  // 2024-10-04 12:00 UTC

spool::ViewedMail viewed(unsigned number, Duration age, std::string to = "x@example.net") {
  spool::ViewedMail viewed;
  viewed.mail.id = mail::MailId{number};
  viewed.mail.arrival = kNoon - age;
  viewed.mail.size = 1700;
  viewed.mail.envelope.sender = "a@example.com";
  viewed.mail.envelope.recipients.push_back({std::move(to), {}, {}});
  viewed.mail.progress.recipients.resize(1);
  return viewed;
}

void add_to(QueueOverview& overview, const spool::ViewedMail& mail, const mail::MailState& state) {
  overview.add(brief_of(mail), state);
}

mail::MailState waiting(std::string reason, Duration until) {
  return {QueueState::deferred, WaitsFor::smarthost, std::move(reason), std::nullopt, kNoon + until};
}

struct InUtc {
  InUtc() {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::string_view line : split(text, '\n')) lines.emplace_back(line);
  return lines;
}

}  // namespace

TEST_CASE(
    "overview: counts, a line for each reason, the oldest and the newest; the same length for a million") {
  InUtc utc;
  QueueOverview overview;
  CHECK(overview.text(kNoon, 80) == "the queue is empty\n");
  for (unsigned i = 1; i <= 842; ++i)
    add_to(overview, viewed(i, 3h - Duration(i * 10s)), waiting("smarthost main is paused", Duration(240s)));
  add_to(overview, viewed(843, 90s), {QueueState::held, WaitsFor::nobody, "held by anna", {}, {}});
  add_to(overview, viewed(844, 5s), {QueueState::active, WaitsFor::nobody, "", {}, {}});
  CHECK(overview.listed().size() == 10);
  for (mail::MailId id : overview.listed()) overview.describe(viewed(static_cast<unsigned>(id.value), 1h));
  const auto lines = lines_of(overview.text(kNoon, 80));
  CHECK(lines[0] == "844 mails: 1 active, 842 waiting, 1 held; the oldest came 2 h ago");
  CHECK(lines[1] == "842 waiting for the smarthost, next try in 4 min: smarthost main is paused");
  CHECK(lines[2] == "1 held: held by anna");
  CHECK(lines[4].starts_with("ID            STATE   SINCE           AGE  SIZE  FROM -> TO"));
  CHECK(lines[5] ==
        cat(to_text(mail::MailId{1}), " waiting Oct  4 09:00    2 h  1.7K  <a@example.com> -> <x@exampl..."));
  CHECK(lines[10] == "... 834 more mails: `hikyaku queue --all` lists each");
  CHECK(lines.size() == 17);
  for (std::size_t i = 4; i < lines.size(); ++i) CHECK(lines[i].size() <= 80);
  CHECK(overview.text(kNoon, std::nullopt).find("<a@example.com> -> <x@example.net>\n") != std::string::npos);
}

TEST_CASE("overview: any number of reasons keeps it short, and none controls the terminal") {
  QueueOverview overview;
  for (unsigned i = 0; i < 1000; ++i)
    add_to(overview, viewed(i, 1h), waiting(cat("reason \x1b[2J ", std::to_string(i)), 1h));
  const std::string text = overview.text(kNoon, 80);
  CHECK(lines_of(text).size() < 40);
  CHECK(text.find("980 waiting for the smarthost") != std::string::npos);
  CHECK(text.find('\x1b') == std::string::npos);
}

TEST_CASE("groups: by domain of who has not got it, by age, reason, sender and smarthost") {
  auto mail = viewed(1, 2h, "x@Example.NET");
  mail.mail.envelope.recipients.push_back({"y@example.net", {}, {}});
  mail.mail.envelope.recipients.push_back({"z@example.org", {}, {}});
  mail.mail.envelope.recipients.push_back({"w@done.example", {}, {}});
  mail.mail.progress.recipients.resize(4);
  mail.mail.progress.recipients[3].state = mail::RecipientState::delivered;
  auto text_by = [&](GroupBy by) {
    QueueGroups groups(by);
    if (groups.needs_records()) {
      groups.add(mail);
      groups.add(viewed(2, 10min));
    } else {
      groups.add(brief_of(mail), waiting("busy", 1h), kNoon);
      groups.add(brief_of(viewed(2, 10min)), {QueueState::active, WaitsFor::nobody, "", {}, {}}, kNoon);
    }
    return groups.text();
  };
  CHECK(text_by(GroupBy::domain) == "       2  example.net\n       1  example.org\n");
  CHECK(text_by(GroupBy::age) == "       1  below 1 h\n       1  below 4 h\n");
  CHECK(text_by(GroupBy::reason) == "       1  being sent, or next\n       1  busy\n");
  CHECK(text_by(GroupBy::sender) == "       2  <a@example.com>\n");
  CHECK(text_by(GroupBy::smarthost) == "       2  none yet\n");
  QueueGroups groups(GroupBy::age);
  groups.add(brief_of(mail), waiting("busy", 1h), kNoon);
  CHECK(groups.json() == R"({"by":"age","groups":[{"what":"below 4 h","mails":1}]})");
  CHECK(parse_group_by("domain") == GroupBy::domain);
  CHECK_FALSE(parse_group_by("colour"));
}

TEST_CASE("filters: smarthost, a part of the reason, and age; a wrong value is told with what is right") {
  auto mail = viewed(1, 2h);
  mail.mail.progress.smarthost = "main";
  mail.mail.progress.attempts = 1;
  mail.mail.progress.reason = "mailbox over Quota";
  mail.written = kNoon;
  mail.mail.progress.next_wait = 1h;
  const mail::RouteState route{.now = kNoon};
  auto matches = [&](std::string_view name, const std::string& value) {
    QueueFilter filter;
    REQUIRE(is_filter(name));
    REQUIRE(set_filter(filter, name, value, kNoon));
    return filter.matches(mail, route, true);
  };
  CHECK(matches("smarthost", "MAIN"));
  CHECK_FALSE(matches("smarthost", "other"));
  CHECK(matches("reason", "over quota"));
  CHECK_FALSE(matches("reason", "no such user"));
  CHECK(matches("older_than", "1h"));
  CHECK_FALSE(matches("older_than", "3h"));
  QueueFilter filter;
  CHECK(set_filter(filter, "older_than", "old", kNoon).error() ==
        "older_than must be a duration: 30m, 4h, 5d");
  CHECK_FALSE(set_filter(filter, "state", "frozen", kNoon));
  CHECK_FALSE(is_filter("color"));
}
