// SPDX-License-Identifier: MIT
#include "daemon/log/mail_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "daemon/base/text.h"
#include "doctest/doctest.h"

namespace hikyaku::log {
namespace {

// A log whose lines are kept.
struct Captured {
  ManualClock clock{false};
  std::vector<std::string> lines;
  MailLog log;

  explicit Captured(Options options = {})
      : log(clock, options, [this](LogLevel, std::string_view line) { lines.emplace_back(line); }) {
    clock.set_wall(WallTime(std::chrono::seconds(1'795'317'244)));
  }
};

Outcome example_outcome() {
  Outcome outcome;
  outcome.id = "1c";
  outcome.from = "a@example.com";
  outcome.to = "b@example.org";
  outcome.smarthost = "main";
  outcome.address = Endpoint::parse("192.0.2.1:587");
  outcome.tls = TlsInfo{"TLSv1.3", "TLS_AES_256_GCM_SHA384", "verified"};
  outcome.delay = 1234567us;
  outcome.dsn = "2.0.0";
  outcome.reply = "250 2.0.0 queued as 4XyZ";
  return outcome;
}

TEST_CASE("log: an accepted message is one line") {
  Captured captured;
  captured.log.accepted({"1c",
                         "",
                         {"b@example.org", "c@example.org"},
                         2048,
                         "127.0.0.1:4",
                         "app",
                         "ESMTP",
                         {"date", "message-id"}});
  REQUIRE(captured.lines.size() == 1);
  CHECK(captured.lines[0] ==
        "2026-11-22T03:14:04Z info accepted id=1c from=<> to=<b@example.org>,<c@example.org> recipients=2 "
        "size=2048 "
        "client=127.0.0.1:4 helo=app proto=ESMTP fixed=date,message-id");
}

TEST_CASE("log: an expansion by aliases is one line with who was meant and whom it goes to") {
  Captured captured;
  captured.log.expanded({"1c", {"root@example.com"}, {"b@example.org", "c@example.org"}});
  REQUIRE(captured.lines.size() == 1);
  CHECK(captured.lines[0] ==
        "2026-11-22T03:14:04Z info expanded id=1c aliases=<root@example.com> "
        "to=<b@example.org>,<c@example.org> recipients=2");
}

TEST_CASE("log: a recipient's outcome is one line with relay, TLS, delay, status and the exact reply") {
  Captured captured;
  captured.log.outcome(example_outcome());
  CHECK(captured.lines[0] ==
        "2026-11-22T03:14:04Z info delivered id=1c from=<a@example.com> to=<b@example.org> "
        "relay=main[192.0.2.1]:587 "
        "tls=TLSv1.3,TLS_AES_256_GCM_SHA384,verified delay=1.234s status=delivered dsn=2.0.0 "
        "reply=\"250 2.0.0 queued as 4XyZ\"");
}

TEST_CASE("log: an outcome without a connection says so; replies of several lines stay one line") {
  Captured captured;
  Outcome outcome = example_outcome();
  outcome.smarthost = "";
  outcome.address = {};
  outcome.tls = {};
  outcome.status = Status::failed;
  outcome.dsn = "5.1.1";
  outcome.reply = "550-5.1.1 no\n550 5.1.1 such user";
  outcome.diagnosis = "the address does not exist";
  captured.log.outcome(outcome);
  CHECK(captured.lines[0].ends_with(
      "warning failed id=1c from=<a@example.com> to=<b@example.org> relay=none tls=none delay=1.234s "
      "status=failed "
      "dsn=5.1.1 reply=\"550-5.1.1 no 550 5.1.1 such user\" diagnosis=\"the address does not exist\""));
}

TEST_CASE("log: a smarthost's change is a sentence first, then the facts") {
  Captured captured;
  SmarthostChange change;
  change.smarthost = "main";
  change.host = "smtp.example.com";
  change.port = 587;
  change.diagnosis = "the password is wrong; correct it in /etc/hikyaku/authinfo:3";
  change.reply = "535 5.7.8 no";
  change.next_probe = 60s;
  change.waiting = 3;
  change.oldest = 5min;
  captured.log.smarthost(change);
  CHECK(captured.lines[0] ==
        "2026-11-22T03:14:04Z error smarthost paused: the password is wrong; correct it in "
        "/etc/hikyaku/authinfo:3 "
        "smarthost=main host=smtp.example.com port=587 reply=\"535 5.7.8 no\" next_probe=" +
            hikyaku::to_text(Duration(60s)) + " waiting=3 oldest=" + hikyaku::to_text(Duration(5min)));
  captured.log.smarthost({"main", "smtp.example.com", 587, true, "", "", 0s, 0, 0s});
  CHECK(captured.lines[1].ends_with("info smarthost up smarthost=main host=smtp.example.com port=587"));
}

TEST_CASE("log: the other events") {
  Captured captured;
  captured.log.bounce({"1d", "1c", "a@example.com", "failed", 2});
  captured.log.rejected({.client = "192.0.2.9:1",
                         .uid = {},
                         .helo = "",
                         .command = "MAIL FROM:<x>",
                         .from = {},
                         .size = 0,
                         .reply = "554 5.7.1 not allowed"});
  captured.log.started("0.1.0", {"127.0.0.1:25", "[::1]:25"}, 4, "durable");
  captured.log.stopping("SIGTERM");
  captured.log.stopped(4);
  captured.log.reloaded();
  captured.log.reload_failed({"h.yaml:1:1: tsl: unknown key"});
  const char* expected[] = {
      "info notice id=1d about=1c to=<a@example.com> kind=failed recipients=2",
      "warning rejected client=192.0.2.9:1 command=\"MAIL FROM:<x>\" reply=\"554 5.7.1 not allowed\"",
      "info started version=0.1.0 listen=127.0.0.1:25,[::1]:25 queued=4 spool=durable",
      "info stopping: SIGTERM",
      "info stopped queued=4",
      "info reloaded",
      "error h.yaml:1:1: tsl: unknown key",
      "error reload failed: the configuration is wrong; nothing has changed"};
  REQUIRE(captured.lines.size() == std::size(expected));
  for (std::size_t i = 0; i < captured.lines.size(); ++i)
    CHECK(captured.lines[i] == std::string("2026-11-22T03:14:04Z ") + expected[i]);
}

TEST_CASE("log: in the journal a line has its priority and no time") {
  Captured captured({LogLevel::debug, LogFormat::text, true});
  captured.log.error("a");
  captured.log.warning("b");
  captured.log.info("c");
  captured.log.debug("d", {{"n", std::uint64_t{1}}});
  CHECK(captured.lines ==
        std::vector<std::string>{"<3>error a", "<4>warning b", "<6>info c", "<7>debug d n=1"});
}

TEST_CASE("log: JSON, and a change of level and format while running") {
  Captured captured;
  captured.log.configure({.level = LogLevel::warning, .format = LogFormat::json});
  CHECK(!captured.log.shows(LogLevel::info));
  CHECK(captured.log.shows(LogLevel::error));
  captured.log.outcome(example_outcome());
  captured.log.warning("x");
  CHECK(captured.lines ==
        std::vector<std::string>{R"({"time":"2026-11-22T03:14:04Z","level":"warning","text":"x"})"});
}

TEST_CASE("log: masked addresses are in every kind of line, in fields, replies, diagnoses and sentences") {
  Captured captured({.addresses = LogAddresses::masked});
  captured.log.accepted(
      {"1c", "anna@example.com", {"berta@example.org", "c@example.org"}, 1, "unix", "x", "ESMTP", {}});
  Outcome outcome = example_outcome();
  outcome.status = Status::failed;
  outcome.from = "";
  outcome.to = "berta@example.org";
  outcome.reply = "550 5.1.1 <berta@example.org>: unknown\nask help@example.org";
  outcome.diagnosis = "there is no mailbox <berta@example.org>";
  captured.log.outcome(outcome);
  captured.log.expanded({"1c", {"root@localhost"}, {"berta@example.org"}});
  captured.log.bounce(
      {.id = "1d", .about = "1c", .to = "anna@example.com", .kind = "failed", .recipients = 1});
  captured.log.rejected({.client = "unix",
                         .uid = 7,
                         .helo = "x",
                         .command = "MAIL",
                         .from = "anna@evil.test",
                         .size = 0,
                         .reply = "550 no"});
  captured.log.smarthost({.smarthost = "main",
                          .host = "h",
                          .port = 25,
                          .up = false,
                          .diagnosis = "log in as anna@example.com",
                          .reply = "535 anna@example.com",
                          .next_probe = 1s,
                          .waiting = 0,
                          .oldest = {}});
  captured.log.warning("mail for anna@example.com waits", {{"reason", std::string("to berta@example.org")}});
  CHECK(captured.lines.size() == 7);
  for (const std::string& line : captured.lines) {
    CAPTURE(line);
    for (const char* name : {"anna", "berta", "help", "root"}) CHECK(line.find(name) == line.npos);
    CHECK(line.find("***@") != line.npos);
  }
  CHECK(captured.lines[1].find("from=<> to=<b***@example.org>") != std::string::npos);
  CHECK(captured.lines[1].find("\"550 5.1.1 <b***@example.org>: unknown ask h***@example.org\"") !=
        std::string::npos);
  CHECK(captured.log.shown("to anna@example.com") == "to a***@example.com");
  captured.log.configure({});
  CHECK(captured.log.shown("to anna@example.com") == "to anna@example.com");
  captured.log.info("anna@example.com");
  CHECK(captured.lines.back() == "2026-11-22T03:14:04Z info anna@example.com");
}

TEST_CASE("log: lines of several threads do not mix") {
  Captured captured;
  auto work = [&] {
    for (int i = 0; i < 200; ++i) captured.log.info("same");
  };
  std::thread other(work);
  work();
  other.join();
  CHECK(captured.lines.size() == 400);
}

TEST_CASE("log: without a sink, lines go to standard error as they are") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  int saved = ::dup(STDERR_FILENO);
  ::dup2(ends[1], STDERR_FILENO);
  {
    ManualClock clock(false);
    MailLog log(clock, {LogLevel::info, LogFormat::text, true});
    log.info("{} {:>9} %s");
  }
  ::dup2(saved, STDERR_FILENO);
  ::close(saved);
  ::close(ends[1]);
  std::string got(100, '\0');
  got.resize(static_cast<std::size_t>(::read(ends[0], got.data(), got.size())));
  ::close(ends[0]);
  CHECK(got == "<6>info {} {:>9} %s\n");
}

TEST_CASE(
    "log: a connection is told for debugging alone, with the log-in or what kept it from being opened") {
  Captured captured({.level = LogLevel::debug});
  Connection connection{.smarthost = "main",
                        .address = Endpoint::parse("192.0.2.1:587"),
                        .tls = TlsInfo{"TLSv1.3", "TLS_AES_256_GCM_SHA384", "verified"},
                        .mechanism = "PLAIN"};
  captured.log.connection(connection);
  connection = {.smarthost = "main", .address = {}, .tls = {}, .mechanism = "", .reason = "refused"};
  captured.log.connection(connection);
  CHECK(captured.lines[0].ends_with(
      "debug connected relay=main[192.0.2.1]:587 tls=TLSv1.3,TLS_AES_256_GCM_SHA384,verified auth=PLAIN"));
  CHECK(captured.lines[1].ends_with("debug not connected relay=main tls=none reason=refused"));
  captured.log.configure({});
  captured.log.connection(connection);
  CHECK(captured.lines.size() == 2);
}

TEST_CASE("log: a rejected line names from, helo, size and uid, so that the program is found that sent it") {
  Captured captured;
  Rejected rejected{.client = "unix uid=1000",
                    .uid = 1000,
                    .helo = "app1",
                    .command = "message",
                    .from = "shop@example.com",
                    .size = 60000000,
                    .reply = "552 5.3.4 too big"};
  captured.log.rejected(rejected);
  CHECK(captured.lines[0].ends_with(
      "warning rejected client=\"unix uid=1000\" uid=1000 helo=app1 command=message from=<shop@example.com> "
      "size=60000000 reply=\"552 5.3.4 too big\""));
  rejected.from = "";
  captured.log.rejected(rejected);
  CHECK(captured.lines[1].find(" from=<> ") != std::string::npos);
}

TEST_CASE("log: what a peer has sent is escaped once, in the text and in the diagnosis") {
  Captured captured;
  const char* diagnosis = "it answered \"220 ready\\x0d\\x0a554\", which is no TLS";
  captured.log.smarthost({"main", "a.example", 465, false, diagnosis, "", 60s, 0, 0s});
  CHECK(captured.lines[0].find("smarthost paused: it answered \"220 ready\\x0d\\x0a554\", which") !=
        std::string::npos);
  Outcome outcome;
  outcome.diagnosis = diagnosis;
  captured.log.outcome(outcome);
  CHECK(captured.lines[1].find("diagnosis=\"it answered \\\"220 ready\\x0d\\x0a554\\\", which") !=
        std::string::npos);
  captured.log.warning("raw \r and a lone \\");
  CHECK(captured.lines[2].find("raw \\x0d and a lone \\\\") != std::string::npos);
}

}  // namespace

TEST_CASE(
    "log: an error that does not go through the log has a priority where the journal is standard error") {
  struct stat ours{};
  REQUIRE(::fstat(STDERR_FILENO, &ours) == 0);
  ::setenv("JOURNAL_STREAM", cat(std::to_string(ours.st_dev), ":", std::to_string(ours.st_ino)).c_str(), 1);
  CHECK(is_journal());
  CHECK(error_prefix() == "<3>");
  ::setenv("JOURNAL_STREAM", "1:2", 1);
  CHECK(!is_journal());
  CHECK(error_prefix().empty());
  ::unsetenv("JOURNAL_STREAM");
  CHECK(error_prefix().empty());
}

}  // namespace hikyaku::log
