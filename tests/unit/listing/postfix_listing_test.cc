// SPDX-License-Identifier: MIT
#include "daemon/listing/postfix_listing.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>
#include <regex>

#include "daemon/listing/queue_listing.h"

using namespace hikyaku;
using namespace hikyaku::listing;
using mail::RecipientState;

namespace {

// The machine's time zone, for a while.
class Zone {
 public:
  explicit Zone(const char* name) { set(name); }
  Zone(const Zone&) = delete;
  ~Zone() { before_ ? set(before_->c_str()) : clear(); }

 private:
  static std::optional<std::string> current() {
    const char* now = std::getenv("TZ");
    return now != nullptr ? std::optional<std::string>(now) : std::nullopt;
  }
  static void set(const char* name) { ::setenv("TZ", name, 1), ::tzset(); }
  static void clear() { ::unsetenv("TZ"), ::tzset(); }
  std::optional<std::string> before_ = current();
};

spool::ViewedMail some(std::vector<mail::RecipientProgress> recipients, std::uint32_t attempts = 1) {
  spool::ViewedMail viewed;
  viewed.mail.id = *mail::parse_mail_id("001k0ts4wbcfh");
  viewed.mail.envelope.sender = "app@example.com";
  viewed.mail.arrival = WallTime(std::chrono::seconds(1'793'502'844));  // 2026-11-01 03:14:04 UTC
  viewed.mail.size = 1536;
  viewed.mail.progress.attempts = attempts;
  viewed.mail.progress.recipients = std::move(recipients);
  for (std::size_t i = 0; i < viewed.mail.progress.recipients.size(); ++i)
    viewed.mail.envelope.recipients.push_back(
        {std::string(1, static_cast<char>('t' + i)) + "@example.net", {}, {}});
  return viewed;
}

std::string listed(const std::vector<spool::ViewedMail>& mails, const mail::RouteState& route = {},
                   bool is_operator = true) {
  PostfixListing listing;
  std::string text;
  for (const auto& mail : mails) text += listing.entry(mail, state_of(mail, route, is_operator));
  return text + listing.end();
}

// What monitoring-plugins' check_mailq -M postfix takes from the output: its last line.
std::optional<int> as_monitoring_counts(const std::string& text) {
  std::string last = text.substr(text.rfind('\n', text.size() - 2) + 1);
  std::smatch found;
  if (std::regex_search(last, found, std::regex("Kbytes in (\\d+)"))) return std::stoi(found[1]);
  if (last.find("Mail queue is empty") != std::string::npos) return 0;
  return std::nullopt;
}

}  // namespace

TEST_CASE("mailq: an empty queue says so") {
  CHECK(listed({}) == "Mail queue is empty\n");
  CHECK(as_monitoring_counts(listed({})) == 0);
}

TEST_CASE("mailq: the queue looks as Postfix prints it with long ids") {
  Zone utc("UTC");
  auto active = some({{RecipientState::pending, ""}}, 0);
  auto deferred = some({{RecipientState::pending, "451 4.7.1 not now"},
                        {RecipientState::pending, "451 4.7.1 not now"},
                        {RecipientState::pending, "452 4.2.2 full"},
                        {RecipientState::pending, ""},
                        {RecipientState::delivered, "250 ok"}});
  deferred.mail.envelope.sender = "";
  auto held = some({{RecipientState::failed, "550 5.1.1 unknown"}});
  held.mail.progress.held = true;
  held.mail.size = 52'428'800;
  CHECK(listed({active, deferred, held}) ==
        "----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------\n"
        "001k0ts4wbcfh*        1536 Sun Nov  1 03:14:04 app@example.com\n"
        "                                               t@example.net\n"
        "\n"
        "001k0ts4wbcfh         1536 Sun Nov  1 03:14:04 MAILER-DAEMON\n"
        "                                                           (451 4.7.1 not now)\n"
        "                                               t@example.net\n"
        "                                               u@example.net\n"
        "                                                              (452 4.2.2 full)\n"
        "                                               v@example.net\n"
        "                                                          (reason unavailable)\n"
        "                                               w@example.net\n"
        "\n"
        "001k0ts4wbcfh!    52428800 Sun Nov  1 03:14:04 app@example.com\n"
        "                                                           (550 5.1.1 unknown)\n"
        "                                               t@example.net\n"
        "\n"
        "-- 51203 Kbytes in 3 Requests.\n");
  CHECK(as_monitoring_counts(listed({active, deferred, held})) == 3);
  CHECK(listed({active}).ends_with("\n\n-- 1 Kbytes in 1 Request.\n"));
}

TEST_CASE("mailq: times are the machine's, and a mail's own reason stands in where no smarthost said one") {
  Zone tokyo("JST-9");
  auto mail = some({{RecipientState::pending, ""}});
  mail.mail.progress.reason = "connection refused";
  std::string text = listed({mail});
  CHECK(text.find("Sun Nov  1 12:14:04 app@example.com\n") != std::string::npos);
  CHECK(text.find(" (connection refused)\n") != std::string::npos);
}

TEST_CASE("mailq: lines that scripts read keep their form whatever a reason or an address holds") {
  auto mail =
      some({{RecipientState::pending, std::string(100, 'x') + "\x1b[2J\n-- 0 Kbytes in 0 Requests."}});
  mail.mail.envelope.sender = "\x1b]0;x\x07\nDEADBEEF@example.com";
  mail.mail.envelope.recipients[0].address = "a\r\n\x9b@example.net";
  std::string text = listed({mail});
  CHECK(std::ranges::count(text, '\n') == 6);
  CHECK(std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= ' ' && c < 0x7f); }));
  CHECK(text.find("(" + std::string(100, 'x') + "\\x1b[2J\\x0a-- 0 Kbytes in 0 Requests.)\n") !=
        std::string::npos);
  CHECK(as_monitoring_counts(text) == 1);
}

TEST_CASE(
    "mailq: a mail behind a paused smarthost says so in brackets, since when, and when it is tried again") {
  Zone utc("UTC");
  WallTime since(std::chrono::seconds(1'793'502'900));
  mail::RouteState route{
      .waits_for = mail::WaitsFor::smarthost,
      .reason = "h refused the user name or password of me@example.com (/etc/hikyaku/authinfo:1)",
      .public_reason = "the smarthost refuses hikyaku's log-in",
      .since = since,
      .next = since + 5min,
      .now = since + 1min};
  auto fresh = some({{RecipientState::pending, ""}}, 0);
  std::string text = listed({fresh}, route);
  CHECK(
      text.starts_with("----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------\n"
                       "001k0ts4wbcfh         1536 Sun Nov  1 03:14:04 app@example.com\n"));
  CHECK(
      text.find(
          "\n(waits since Sun Nov  1 03:15:00, next attempt Sun Nov  1 03:20:00: h refused the user name or "
          "password of me@example.com (/etc/hikyaku/authinfo:1))\n") != std::string::npos);
  CHECK(as_monitoring_counts(text) == 1);
  std::string users = listed({fresh}, route, false);
  CHECK(
      users.find("(waits since Sun Nov  1 03:15:00, next attempt Sun Nov  1 03:20:00: the smarthost refuses "
                 "hikyaku's log-in)\n") != std::string::npos);
  CHECK(users.find("me@example.com") == std::string::npos);
  // One that waits for its own time has its own reason.
  auto own = some({{RecipientState::pending, "451 4.7.1 not now"}});
  own.written = since;
  own.mail.progress.next_wait = 1h;
  CHECK(listed({own}, route).find("(451 4.7.1 not now)\n") != std::string::npos);
}

TEST_CASE("mailq: before the list it says which mails failed in the last day, and how many wait in drop/") {
  Zone utc("UTC");
  CHECK(PostfixListing::notes({}, true, "").empty());
  mail::FailedMail failed{*mail::parse_mail_id("001k0ts4wbcfh"),           1000,
                          WallTime(std::chrono::seconds(1'793'502'844)),   "x@example.net",
                          "550 5.1.1 who\x1b\n-- 9 Kbytes in 9 Requests.", 2};
  CHECK(PostfixListing::notes({failed}, false, "") ==
        "-- 1 mail of yours failed in the last day:\n"
        "   001k0ts4wbcfh Sun Nov  1 03:14:04  x@example.net and 2 more: 550 5.1.1 who\\x1b\\x0a-- 9 Kbytes "
        "in 9 "
        "Requests.\n\n");
  std::string many =
      PostfixListing::notes(std::vector<mail::FailedMail>(12, failed), true, "3 mails wait in /d/drop");
  CHECK(many.starts_with("-- 3 mails wait in /d/drop\n-- 12 mails failed in the last day:\n"));
  CHECK(many.ends_with("\n   and 2 earlier\n\n"));
  CHECK(as_monitoring_counts(many + listed({})) == 0);
  CHECK(as_monitoring_counts(many + listed({some({{RecipientState::pending, ""}})})) == 1);
  // What counts lines that begin with an id counts none of these.
  CHECK_FALSE(std::regex_search(many, std::regex("(^|\n)[0-9A-Za-z]")));
}
