// SPDX-License-Identifier: MIT
#include "daemon/log/postfix_lines.h"

#include <unistd.h>

#include <cstdlib>
#include <ctime>

#include "daemon/base/text.h"
#include "daemon/log/mail_log.h"
#include "doctest/doctest.h"

namespace hikyaku::log {
namespace {

// A log in Postfix's notation; of each line what stands behind time and host, without the PID.
struct PostfixLog {
  ManualClock clock{false};
  std::vector<std::string> raw;
  MailLog log;

  explicit PostfixLog(Options options = {})
      : log(clock, with_format(options), [this](LogLevel, std::string_view text) {
          for (std::string_view line : split(text, '\n')) raw.emplace_back(line);
        }) {
    clock.set_wall(WallTime(std::chrono::seconds(1'795'317'244)));
  }
  static Options with_format(Options options) {
    options.format = LogFormat::postfix;
    return options;
  }
  std::vector<std::string> take() {
    const std::string pid = cat("[", std::to_string(::getpid()), "]: ");
    std::vector<std::string> lines;
    for (const std::string& line : std::exchange(raw, {})) {
      const std::size_t service = line.find("postfix/");
      const std::size_t at = line.find(pid);
      REQUIRE(service != line.npos);
      REQUIRE(at != line.npos);
      lines.push_back(cat(line.substr(service + 8, at - service - 8), ": ", line.substr(at + pid.size())));
    }
    return lines;
  }
};

using Shown = std::vector<std::string>;

Outcome sent_by_main() {
  Outcome outcome;
  outcome.id = "001k0ts4wbcfh";
  outcome.from = "a@example.com";
  outcome.to = "b@example.org";
  outcome.smarthost = "main";
  outcome.address = Endpoint::parse("192.0.2.1:587");
  outcome.delay = 1234567us;
  outcome.dsn = "2.0.0";
  outcome.reply = "250 2.0.0 queued as 4XyZ";
  return outcome;
}

Shown outcome_shown(const Outcome& outcome) {
  PostfixLog captured;
  captured.log.outcome(outcome);
  return captured.take();
}

Shown rejected_shown(const Rejected& rejected) {
  PostfixLog captured;
  captured.log.rejected(rejected);
  return captured.take();
}

TEST_CASE("postfix log: a line begins as syslog writes it, in local time") {
  ::setenv("TZ", "UTC-2", 1);
  ::tzset();
  PostfixLog captured;
  captured.log.stopping("SIGTERM");
  ::unsetenv("TZ");
  ::tzset();
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  const std::string_view name = host;
  CHECK(captured.raw == Shown{cat("Nov 22 05:14:04 ", name.substr(0, name.find('.')), " postfix/master[",
                                  std::to_string(::getpid()), "]: terminating on signal 15")});
}

TEST_CASE("postfix log: in the journal each line has its priority, and no time") {
  PostfixLog captured({LogLevel::debug, LogFormat::postfix, true});
  captured.log.accepted({"1c", "a@b.test", {"c@d.test"}, 7, "127.0.0.1:4", "x", "ESMTP", {}});
  captured.log.warning("beware");
  REQUIRE(captured.raw.size() == 3);
  CHECK(captured.raw[0].starts_with("<6>postfix/smtpd["));
  CHECK(captured.raw[1].starts_with("<6>postfix/qmgr["));
  CHECK(captured.raw[2].starts_with("<4>postfix/master["));
}

TEST_CASE(
    "postfix log: an accepted mail has a line of smtpd and one of qmgr; from a local user, one of pickup") {
  PostfixLog captured;
  Accepted mail{"1c", "", {"b@example.org", "c@example.org"}, 2048, "127.0.0.1:4", "app", "ESMTP", {}};
  const std::string queued = "qmgr: 1C: from=<>, size=2048, nrcpt=2 (queue active)";
  for (const auto& [client, shown] : {std::pair{"127.0.0.1:4", "smtpd: 1C: client=localhost[127.0.0.1]"},
                                      {"192.0.2.9:4", "smtpd: 1C: client=unknown[192.0.2.9]"},
                                      {"[2001:db8::9]:4", "smtpd: 1C: client=unknown[2001:db8::9]"},
                                      {"unix", "smtpd: 1C: client=unknown[unknown]"},
                                      {"unix uid=1000", "pickup: 1C: uid=1000 from=<>"}}) {
    mail.client = client;
    captured.log.accepted(mail);
    CHECK(captured.take() == Shown{shown, queued});
  }
}

TEST_CASE(
    "postfix log: an outcome is sent, deferred or bounced, with who said why; the last one removes the "
    "mail") {
  Outcome outcome = sent_by_main();
  outcome.ends_mail = true;
  const std::string begin =
      "smtp: 001K0TS4WBCFH: to=<b@example.org>, relay=main[192.0.2.1]:587, delay=1.234, ";
  CHECK(outcome_shown(outcome) ==
        Shown{begin + "dsn=2.0.0, status=sent (250 2.0.0 queued as 4XyZ)", "qmgr: 001K0TS4WBCFH: removed"});
  outcome.ends_mail = false;
  outcome.status = Status::deferred;
  outcome.dsn = "4.2.0";
  outcome.reply = "450 4.2.0 greylisted\ncome back";
  CHECK(outcome_shown(outcome) ==
        Shown{begin +
              "dsn=4.2.0, status=deferred (host main[192.0.2.1] said: 450 4.2.0 greylisted come back)"});
  outcome.reply = "connection timed out";
  CHECK(outcome_shown(outcome) == Shown{begin + "dsn=4.2.0, status=deferred (connection timed out)"});
  outcome.status = Status::failed;
  outcome.smarthost = outcome.reply = "";
  outcome.dsn = "5.4.6";
  outcome.address = {};
  outcome.diagnosis = "it goes in circles";
  CHECK(outcome_shown(outcome) ==
        Shown{"smtp: 001K0TS4WBCFH: to=<b@example.org>, relay=none, delay=1.234, dsn=5.4.6, status=bounced "
              "(it goes in circles)"});
}

TEST_CASE(
    "postfix log: a refusal is a reject line of its stage; a failed log-in is what fail2ban looks for") {
  Rejected rejected{.client = "192.0.2.9:1",
                    .uid = {},
                    .helo = "app1",
                    .command = "RCPT",
                    .from = "a@example.com",
                    .size = 0,
                    .reply = "550 5.1.2 no such domain"};
  CHECK(rejected_shown(rejected) ==
        Shown{"smtpd: NOQUEUE: reject: RCPT from unknown[192.0.2.9]: 550 5.1.2 no such "
              "domain; from=<a@example.com> helo=<app1>"});
  rejected.command = "message";
  rejected.client = "unix uid=7";
  CHECK(rejected_shown(rejected)[0].starts_with(
      "smtpd: NOQUEUE: reject: END-OF-MESSAGE from uid=7[unknown]: 550 "));
  rejected = {.client = "192.0.2.9:1",
              .uid = {},
              .helo = "",
              .command = "connect",
              .from = {},
              .size = 0,
              .reply = ""};
  rejected.reply = "554 5.7.1 Your address may not send mail here";
  CHECK(
      rejected_shown(rejected) ==
      Shown{
          "smtpd: NOQUEUE: reject: RCPT from unknown[192.0.2.9]: 554 5.7.1 <unknown[192.0.2.9]>: Client host "
          "rejected: Your address may not send mail here"});
  rejected.reply = "421 4.7.0 Too many connections from your address";
  CHECK(rejected_shown(rejected) ==
        Shown{"smtpd: NOQUEUE: reject: CONNECT from unknown[192.0.2.9]: 421 4.7.0 "
              "<unknown[192.0.2.9]>: Client host rejected: Too many connections from your address"});
  rejected.reply = "421 4.3.2 Too many connections, try again later";
  CHECK(rejected_shown(rejected) == Shown{"smtpd: NOQUEUE: reject: CONNECT from unknown[192.0.2.9]: 421 "
                                          "4.3.2 Too many connections, try again later"});
  rejected.command = "MAIL";
  rejected.from = "x@evil.test";
  rejected.reply = "550 5.7.1 This sender may not send here";
  CHECK(rejected_shown(rejected) == Shown{"smtpd: NOQUEUE: reject: MAIL from unknown[192.0.2.9]: 550 5.7.1 "
                                          "<x@evil.test>: Sender address rejected: "
                                          "This sender may not send here; from=<x@evil.test>"});
  rejected.command = "AUTH";
  rejected.reply = "535 5.7.8 Wrong user or password";
  CHECK(rejected_shown(rejected) ==
        Shown{"smtpd: warning: unknown[192.0.2.9]: SASL login authentication failed: 535 "
              "5.7.8 Wrong user or password"});
  rejected.command = "command";
  rejected.reply = "500 5.5.2 Not a command";
  CHECK(rejected_shown(rejected) ==
        Shown{"smtpd: warning: unknown[192.0.2.9]: refused: 500 5.5.2 Not a command"});
}

TEST_CASE("postfix log: the other events") {
  PostfixLog captured({.level = LogLevel::debug});
  for (const char* kind : {"failed", "delayed", "relayed", "postmaster"})
    captured.log.bounce({.id = "1d", .about = "1c", .to = "a@b.test", .kind = kind, .recipients = 1});
  CHECK(captured.take() == Shown{"bounce: 1C: sender non-delivery notification: 1D",
                                 "bounce: 1C: sender delay notification: 1D",
                                 "bounce: 1C: sender delivery status notification: 1D",
                                 "bounce: 1C: postmaster non-delivery notification: 1D"});
  for (const auto& [event, shown] : {std::pair{"held", "postsuper: 1C: placed on hold"},
                                     {"released", "postsuper: 1C: released from hold"},
                                     {"removed", "postsuper: 1C: removed"}}) {
    captured.log.steered({.event = event, .id = "1c", .from = "a@b.test", .to = {}, .by = "root"});
    CHECK(captured.take() == Shown{shown, cat("hikyakud: ", event, " id=1c from=<a@b.test> to= by=root")});
  }
  captured.log.started("0.2.0", {"127.0.0.1:25"}, 4, "durable");
  captured.log.reloaded();
  captured.log.error("the disk is full", {{"free", std::uint64_t{0}}});
  captured.log.warning("beware");
  captured.log.info("all mail is due now", {{"mails", std::uint64_t{3}}});
  captured.log.stopped(4);
  CHECK(captured.take() == Shown{"master: daemon started -- version 0.2.0", "master: reload configuration",
                                 "master: error: the disk is full free=0", "master: warning: beware",
                                 "hikyakud: all mail is due now mails=3", "hikyakud: stopped queued=4"});
}

TEST_CASE("postfix log: no address, reply or name makes a second line, or ends its field early") {
  for (const std::string hostile : {"\r\nNov 22 03:14:04 x postfix/smtp[1]: 1C: removed",
                                    "a>, relay=evil, delay=0, status=sent (x", "\x1b[31m\n"}) {
    CAPTURE(hostile);
    Outcome outcome = sent_by_main();
    outcome.to = hostile;
    outcome.status = Status::failed;
    outcome.reply = cat("550 ", hostile);
    const Shown lines = outcome_shown(outcome);
    REQUIRE(lines.size() == 1);
    const std::size_t end = lines[0].find('>');
    CHECK(lines[0].substr(end).starts_with(
        ">, relay=main[192.0.2.1]:587, delay=1.234, dsn=2.0.0, status=bounced ("));
    for (char c : lines[0]) CHECK(static_cast<unsigned char>(c) >= 0x20);
    const Shown refusal = rejected_shown({.client = "192.0.2.9:1",
                                          .uid = {},
                                          .helo = hostile,
                                          .command = "MAIL",
                                          .from = hostile,
                                          .size = 0,
                                          .reply = "550 5.7.1 no"});
    REQUIRE(refusal.size() == 1);
    CHECK(std::ranges::count(refusal[0], '>') == 3);
    CHECK(refusal[0].find("\\\\") == std::string::npos);  // escaped once
  }
}

TEST_CASE("postfix log: masked addresses are masked here too") {
  PostfixLog captured({.addresses = LogAddresses::masked});
  captured.log.accepted({"1c", "anna@example.com", {"berta@example.org"}, 1, "unix uid=7", "x", "ESMTP", {}});
  Outcome outcome = sent_by_main();
  outcome.to = "berta@example.org";
  outcome.reply = "250 ok for berta@example.org";
  captured.log.outcome(outcome);
  for (const std::string& line : captured.take()) {
    CAPTURE(line);
    for (const char* name : {"anna", "berta"}) CHECK(line.find(name) == line.npos);
    CHECK(line.find("***@") != line.npos);
  }
}

}  // namespace
}  // namespace hikyaku::log
