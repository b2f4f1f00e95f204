// SPDX-License-Identifier: MIT
#include "daemon/relay/relay.h"

#include <doctest/doctest.h>

#include "tests/unit/relay/relay_rig.h"

using namespace hikyaku;
using namespace hikyaku::relay;
using namespace hikyaku::test;

namespace {

// A reply to the commands that begin so, a good one to all others.
auto reply_to(std::string prefix, std::string reply) {
  return [=](const std::string& command) {
    return !prefix.empty() && command.starts_with(prefix) ? reply : std::string();
  };
}

std::string no_password_fits(const std::string& command) {
  return command.starts_with("AUTH") || command.find(' ') == command.npos
             ? (command.starts_with("AUTH") ? "535 5.7.8 bad" : "")
             : "";
}

}  // namespace

TEST_CASE("relay: a mail leaves the moment it is committed, and is then gone from the spool") {
  RelayRig rig;
  rig.start_relay();
  Instant before = rig.loop.now();
  rig.send();
  rig.pass(0ms);
  while (rig.main().mails.empty() && rig.loop.now() < before + 1s) rig.pass(1ms);
  REQUIRE(rig.main().mails.size() == 1);
  CHECK(rig.main().mails[0].content == "Subject: test\r\n\r\nbody\r\n");
  CHECK(rig.loop.now() < before + 100ms);
  rig.pass();
  CHECK(rig.queued().empty());
  CHECK(rig.lines_with("status=delivered") == 1);
}

TEST_CASE("relay: what waits from before is sent at the start") {
  RelayRig rig;
  rig.send();
  rig.send();
  rig.start_relay();
  rig.pass();
  CHECK(rig.main().mails.size() == 2);
  CHECK(rig.main().most_open == 1);  // one connection until the smarthost is proven
}

TEST_CASE("relay: a restart keeps the schedule of what was deferred, a reload tries it at once") {
  RelayRig rig;
  rig.start_relay();
  rig.send();
  rig.pass();  // the smarthost is proven
  rig.main().answer = reply_to("RCPT", "450 4.2.0 try later");
  rig.send();
  rig.pass();
  rig.main().answer = reply_to("", "");
  rig.stop_relay();
  rig.start_relay();
  rig.pass(20s);
  CHECK(rig.main().mails.size() == 1);
  rig.pass(20s);
  CHECK(rig.main().mails.size() == 2);
  rig.main().answer = reply_to("RCPT", "450 4.2.0 try later");
  rig.send();
  rig.pass();
  rig.main().answer = reply_to("", "");
  rig.reload();
  rig.pass();
  CHECK(rig.main().mails.size() == 3);
}

TEST_CASE(
    "relay: a proven smarthost gets as many connections as work waits, up to the limit, and they are "
    "reused") {
  RelayRig rig;
  rig.start_relay();
  rig.send();
  rig.pass();
  for (int i = 0; i < 40; ++i) rig.send();
  rig.pass(5s);
  CHECK(rig.main().mails.size() == 41);
  CHECK(rig.main().most_open <= 4);
  CHECK(rig.main().dials <= 5);
}

TEST_CASE("relay: a wrong password keeps the mail, costs few log-ins, and is logged in one line") {
  RelayRig rig;
  rig.settings.smarthosts[0].credentials = some_credentials("wrong");
  rig.main().answer = no_password_fits;
  rig.start_relay();
  for (int i = 0; i < 10; ++i) rig.send();
  rig.pass(24h);
  CHECK(rig.main().mails.empty());
  CHECK(rig.queued().size() == 10);
  CHECK(rig.main().logins <= 70);
  CHECK(rig.main().logins >= 24);
  CHECK(rig.lines_with("authinfo:1") <= 2);  // at once, and again after a day
  rig.main().answer = [](const std::string&) { return ""; };
  rig.settings.smarthosts[0].credentials = some_credentials("right");
  rig.reload();
  rig.pass();
  CHECK(rig.main().mails.size() == 10);
  CHECK(rig.queued().empty());
}

TEST_CASE(
    "relay: a wrong password on a smarthost that was proven with four connections costs few log-ins too") {
  RelayRig rig;
  rig.settings.smarthosts[0].credentials = some_credentials();
  rig.start_relay();
  for (int i = 0; i < 40; ++i) rig.send();
  rig.pass(1min);
  REQUIRE(rig.main().mails.size() == 40);
  unsigned before = rig.main().logins;
  rig.main().answer = no_password_fits;
  for (int i = 0; i < 40; ++i) rig.send();
  rig.pass(24h);
  CHECK(rig.main().logins - before <= 70);
  CHECK(rig.queued().size() == 40);
}

TEST_CASE("relay: credentials demanded where there are none, nothing bounces and the lane waits") {
  RelayRig rig;
  rig.main().answer = reply_to("MAIL", "530 5.7.0 Authentication required");
  rig.start_relay();
  rig.send();
  rig.pass(10 * 24h);
  CHECK(rig.queued().size() == 1);
  CHECK(rig.lines_with("authinfo") >= 1);
  CHECK(rig.lines_with("status=failed") == 0);
  rig.main().answer = reply_to("", "");
  rig.reload();
  rig.pass();
  CHECK(rig.main().mails.size() == 1);
}

TEST_CASE(
    "relay: a refused sender on an unproven smarthost defers, is told once, and goes out after the "
    "correction") {
  RelayRig rig;
  rig.settings.smarthosts[0].credentials = some_credentials();
  rig.main().answer = reply_to("MAIL", "553 5.7.1 Sender address rejected: not owned by user");
  rig.start_relay();
  rig.send();
  rig.send();
  rig.pass(3h);
  CHECK(rig.queued().size() == 2);
  CHECK(rig.lines_with(" warning main.example:587") == 1);
  CHECK(rig.lines_with("paused") == 0);
  rig.main().answer = reply_to("", "");
  rig.reload();
  rig.pass();
  CHECK(rig.main().mails.size() == 2);
  CHECK(rig.queued().empty());
}

TEST_CASE("relay: a refused sender on a proven smarthost bounces") {
  RelayRig rig;
  rig.settings.smarthosts[0].credentials = some_credentials();
  rig.start_relay();
  rig.send();
  rig.pass();
  rig.main().answer = reply_to("MAIL FROM:<app@", "550 5.1.8 Sender rejected");
  rig.send();
  rig.pass();
  REQUIRE(rig.main().mails.size() == 2);
  CHECK(rig.main().mails[1].sender.empty());
  CHECK(rig.main().mails[1].recipients == std::vector<std::string>{"app@example.com"});
  CHECK(rig.main().mails[1].content.find("550 5.1.8 Sender rejected") != std::string::npos);
  CHECK(rig.main().mails[1].content.find("Subject: test") != std::string::npos);
  CHECK(rig.queued().empty());
}

TEST_CASE(
    "relay: of three recipients one is delivered once, one is tried again, and one is bounced in one "
    "notice") {
  RelayRig rig;
  rig.start_relay();
  rig.send();
  rig.pass();
  bool late = true;
  rig.main().answer = [&](const std::string& command) -> std::string {
    if (command.starts_with("RCPT TO:<no@")) return "550 5.1.1 unknown";
    if (command.starts_with("RCPT TO:<later@") && late) return "450 4.2.1 busy";
    return "";
  };
  rig.send({"yes@example.net", "later@example.net", "no@example.net"});
  rig.pass();
  REQUIRE(rig.main().mails.size() == 3);
  auto bounce = std::ranges::find(rig.main().mails, std::string(), &ReceivedMail::sender);
  REQUIRE(bounce != rig.main().mails.end());
  CHECK(bounce->content.find("no@example.net") != std::string::npos);
  CHECK(bounce->content.find("later@example.net") == std::string::npos);
  CHECK(rig.queued().size() == 1);
  late = false;
  rig.pass(5min);
  REQUIRE(rig.main().mails.size() == 4);
  CHECK(rig.main().mails[3].recipients == std::vector<std::string>{"later@example.net"});
  CHECK(rig.queued().empty());
}

TEST_CASE("relay: a message from <> never bounces but is held") {
  RelayRig rig;
  rig.start_relay();
  rig.send();
  rig.pass();
  rig.main().answer = reply_to("RCPT", "550 5.1.1 unknown");
  rig.send({"gone@example.net"}, "");
  rig.pass(24h);
  CHECK(rig.main().mails.size() == 1);
  CHECK(rig.queued().size() == 1);
  CHECK(rig.relay->queued() == 1);
  rig.stop_relay();
  rig.start_relay();
  rig.pass(24h);
  CHECK(rig.main().dials <= 3);  // and it stays held over a restart
  CHECK(rig.queued().size() == 1);
}

TEST_CASE("relay: 4yz ends in a bounce only after queue.lifetime") {
  RelayRig rig;
  rig.start_relay();
  rig.send();
  rig.pass();
  rig.main().answer = reply_to("RCPT TO:<user@", "450 4.2.0 try later");
  rig.send();
  rig.pass(5 * 24h - 2h);
  CHECK(rig.lines_with("status=failed") == 0);
  CHECK(rig.lines_with("status=deferred") > 100);
  rig.pass(4h);
  CHECK(rig.lines_with("status=failed") == 1);
  CHECK(rig.queued().empty());
}

TEST_CASE(
    "relay: what was handed over is tried at once, and given up when it would have been at its old place") {
  RelayRig rig;
  rig.start_relay();
  rig.send();
  rig.pass();
  rig.main().answer = reply_to("RCPT TO:<user@", "450 4.2.0 try later");
  const mail::Handover handover{
      .arrival = rig.clock.wall() - 4 * 24h, .waited = 4 * 24h, .attempts = 50, .delay_noticed = true};
  auto id = rig.loop.run(
      rig.writing(rig.spool->begin_handed_over(handover), "Subject: x\r\n\r\n", spool::some_envelope()));
  REQUIRE(id);
  rig.pass();
  CHECK(rig.lines_with("status=deferred") == 1);
  const auto mail = rig.loop.run(rig.spool->load(*id));
  REQUIRE(mail);
  CHECK(mail->progress.attempts == 51);
  CHECK(mail->progress.waited >= 4 * 24h);
  CHECK(mail->progress.next_wait > 30min);
  CHECK(rig.main().mails.size() == 1);  // no second delay notice
  rig.pass(22h);
  CHECK(rig.lines_with("status=failed") == 0);
  rig.pass(4h);
  CHECK(rig.lines_with("status=failed") == 1);
}

TEST_CASE("relay: a delay notice is sent once") {
  RelayRig rig;
  rig.start_relay();
  rig.send();
  rig.pass();
  rig.main().answer = reply_to("RCPT TO:<user@", "450 4.2.0 try later");
  rig.send();
  rig.pass(3h);
  CHECK(rig.main().mails.size() == 1);
  rig.pass(3h);
  REQUIRE(rig.main().mails.size() == 2);
  CHECK(rig.main().mails[1].content.find("delayed") != std::string::npos);
  rig.pass(24h);
  CHECK(rig.main().mails.size() == 2);
}

TEST_CASE("relay: time during which the smarthost is away does not count, and then the backlog drains") {
  RelayRig rig;
  rig.main().is_down = true;
  rig.start_relay();
  for (int i = 0; i < 20; ++i) rig.send();
  rig.pass(30 * 24h);
  CHECK(rig.queued().size() == 20);
  CHECK(rig.lines_with("status=failed") == 0);
  std::size_t told = rig.lines_with("nobody listens");
  CHECK(told >= 29);
  CHECK(told <= 32);
  rig.main().is_down = false;
  rig.pass(10min);
  CHECK(rig.main().mails.size() == 20);
  CHECK(rig.queued().empty());
}

TEST_CASE("relay: while the first smarthost is paused the next one takes the mail, and gives it back") {
  RelayRig rig;
  rig.settings.smarthosts = {some_smarthost(), some_smarthost("backup")};
  rig.main().is_down = true;
  rig.start_relay();
  rig.send();
  rig.pass();
  CHECK(rig.hosts["backup"].mails.size() == 1);
  rig.main().is_down = false;
  rig.pass(1h);
  rig.send();
  rig.pass();
  CHECK(rig.main().mails.size() == 1);
  CHECK(rig.hosts["backup"].mails.size() == 1);
}

TEST_CASE("relay: one message that breaks the connection does not hold up the others") {
  RelayRig rig;
  rig.start_relay();
  rig.send();
  rig.pass();
  rig.main().answer = reply_to("RCPT TO:<poison@", "HANG UP");
  rig.send({"poison@example.net"});
  rig.pass();
  for (int i = 0; i < 5; ++i) rig.send();
  rig.pass();
  CHECK(rig.main().mails.size() == 6);
  CHECK(rig.queued().size() == 1);
}

TEST_CASE("relay: two different messages in a row that break the connection pause the smarthost") {
  RelayRig rig;
  rig.start_relay();
  rig.send();
  rig.pass();
  rig.main().answer = reply_to("MAIL", "421 4.3.2 shutting down");
  rig.send();
  rig.send();
  rig.pass();
  std::size_t told = rig.lines_with("main.example");
  rig.main().answer = reply_to("", "");
  rig.pass(1h);
  CHECK(told >= 1);
  CHECK(rig.main().mails.size() == 3);
  CHECK(rig.queued().empty());
}

TEST_CASE("relay: a reply lost after the final dot is tried again and said so") {
  RelayRig rig;
  rig.start_relay();
  rig.main().answer = reply_to(".", "HANG UP");
  rig.send();
  rig.pass();
  CHECK(rig.queued().size() == 1);
  CHECK(rig.lines_with("status=deferred") == 1);
  rig.main().answer = reply_to("", "");
  rig.pass(5min);
  CHECK(rig.main().mails.size() == 2);
  CHECK(rig.queued().empty());
}

TEST_CASE("relay: while an outcome cannot be written no more mail is sent, and it goes on by itself") {
  RelayRig rig;
  rig.start_relay();
  rig.send();
  rig.pass();
  rig.send();
  rig.disk->fail_at(DiskStep::write, 1, std::errc::io_error, 40);
  rig.pass();
  std::size_t sent = rig.main().mails.size();
  CHECK(sent == 2);
  CHECK(rig.lines_with("cannot be stored") >= 1);
  rig.pass(1h);
  CHECK(rig.main().mails.size() == 2);  // and not sent twice
  CHECK(rig.queued().empty());
}

TEST_CASE("relay: a wall clock that jumps neither expires nor stalls anything") {
  RelayRig rig;
  rig.start_relay();
  rig.send();
  rig.pass();
  rig.main().answer = reply_to("RCPT TO:<user@", "450 4.2.0 try later");
  rig.send();
  rig.pass(10min);
  rig.clock.set_wall(rig.clock.wall() + 30 * 24h);
  rig.pass(2h);
  CHECK(rig.lines_with("status=failed") == 0);
  rig.clock.set_wall(WallTime{});
  rig.main().answer = reply_to("", "");
  rig.pass(2h);
  CHECK(rig.queued().empty());
}

TEST_CASE("relay: retiring lanes of a reload finish what is under way and nothing is sent twice") {
  RelayRig rig;
  rig.start_relay();
  for (int i = 0; i < 10; ++i) rig.send();
  for (int i = 0; i < 5; ++i) {
    rig.pass(0ms);
    rig.reload();
  }
  rig.pass(1min);
  CHECK(rig.main().mails.size() == 10);
  CHECK(rig.queued().empty());
}
