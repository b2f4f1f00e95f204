// SPDX-License-Identifier: MIT
// NOTIFY=SUCCESS from the client to the notice, at a smarthost with and one without DSN.
#include <doctest/doctest.h>

#include "daemon/relay/relay.h"
#include "tests/unit/relay/relay_rig.h"

using namespace hikyaku;
using namespace hikyaku::relay;
using namespace hikyaku::test;

namespace {

constexpr const char* kWithDsn = "250-PIPELINING\r\n250-DSN\r\n250 ENHANCEDSTATUSCODES\r\n";

mail::Recipient wanting_success(const std::string& address) {
  return {.address = address, .notify = {.success = true}, .orcpt = "rfc822;first@example.net"};
}

mail::MailId send(RelayRig& rig, std::vector<mail::Recipient> recipients,
                  std::string sender = "app@example.com") {
  mail::Envelope envelope;
  envelope.sender = std::move(sender);
  envelope.envid = "order-17";
  envelope.ret = mail::Ret::full;
  envelope.recipients = std::move(recipients);
  auto id = rig.loop.run(rig.accepting("Subject: test\r\n\r\nbody\r\n", std::move(envelope)));
  REQUIRE(id);
  return *id;
}

std::vector<std::string> notices(RelayRig& rig) {
  std::vector<std::string> contents;
  for (const ReceivedMail& mail : rig.main().mails)
    if (mail.sender.empty()) contents.push_back(mail.content);
  return contents;
}

bool says(const std::string& text, std::string_view what) { return text.find(what) != text.npos; }

// The power fails at this step of the disk, and a relay goes on with what is left.
struct Cut {
  RelayRig rig;
  mail::MailId id;
  std::size_t sent_before = 0;  // how often the recipient had got the mail by then
  bool was_noted = false;       // that he has it was on record after the cut, or the mail had ended

  // `others`: beside the one who gets it.
  explicit Cut(std::uint64_t step, std::vector<mail::Recipient> others = {}) {
    rig.main().answer = [](const std::string& command) {
      return command.starts_with("RCPT TO:<no@") ? "550 5.1.1 unknown" : "";
    };
    others.insert(others.begin(), wanting_success("user@example.net"));
    id = send(rig, std::move(others));
    rig.disk->cut_power_at(rig.disk->steps() + step);
    rig.start_relay();
    rig.pass();
    rig.stop_relay();
    rig.crash(step);
    sent_before = sent();
    was_noted = is_over() || state().state == mail::RecipientState::delivered;
  }
  mail::RecipientProgress state() {
    auto mail = rig.loop.run(rig.spool->load(id));
    REQUIRE(mail);
    return mail->progress.recipients[0];
  }
  // Everything is done but the notice, which is nowhere yet.
  bool owes_just_the_notice() {
    return rig.queued() == std::vector{id} && state().owes_notice && told() == 0;
  }
  bool is_over() const { return std::ranges::count(rig.queued(), id) == 0; }
  std::size_t sent() {
    return static_cast<std::size_t>(std::ranges::count_if(rig.main().mails, [](const ReceivedMail& mail) {
      return mail.recipients.front() == "user@example.net";
    }));
  }
  std::size_t told() {
    return static_cast<std::size_t>(std::ranges::count_if(
        notices(rig), [](const std::string& notice) { return says(notice, "Action: relayed"); }));
  }
};

}  // namespace

TEST_CASE("relay: NOTIFY=SUCCESS at a smarthost without DSN brings the sender a notice that it was relayed") {
  RelayRig rig;
  rig.start_relay();
  send(rig,
       {wanting_success("user@example.net"), {.address = "other@example.net", .notify = {}, .orcpt = {}}});
  rig.pass();
  REQUIRE(rig.main().mails.size() == 2);
  const ReceivedMail& notice = rig.main().mails[1];
  CHECK(notice.sender.empty());
  CHECK(notice.recipients == std::vector<std::string>{"app@example.com"});
  CHECK(says(notice.content, "Action: relayed\r\nStatus: 2.0.0\r\nRemote-MTA: dns; main.example\r\n"));
  CHECK(says(notice.content, "Original-Envelope-Id: order-17\r\n"));
  CHECK(says(notice.content, "Original-Recipient: rfc822; first@example.net\r\n"));
  CHECK_FALSE(says(notice.content, "other@example.net"));
  CHECK_FALSE(says(notice.content, "body\r\n"));  // RET is for failures
  CHECK(rig.lines_with("kind=relayed") == 1);
  rig.pass(48h);
  CHECK(rig.queued().empty());
  CHECK(rig.main().mails.size() == 2);
}

TEST_CASE("relay: NOTIFY=SUCCESS at a smarthost with DSN is passed on, and we send no notice") {
  std::vector<std::string> commands;
  RelayRig rig;
  rig.main().keywords = kWithDsn;
  rig.main().answer = [&](const std::string& command) {
    commands.push_back(command);
    return "";
  };
  rig.start_relay();
  send(rig, {wanting_success("user@example.net")});
  rig.pass();
  CHECK(rig.main().mails.size() == 1);
  CHECK(std::ranges::count(commands,
                           "RCPT TO:<user@example.net> NOTIFY=SUCCESS ORCPT=rfc822;first@example.net") == 1);
}

TEST_CASE("relay: a sender of <>, and one whose mail was not delivered, gets no notice of success") {
  RelayRig rig;
  rig.main().answer = [](const std::string& command) {
    return command.starts_with("RCPT TO:<no@") ? "450 4.2.0 later" : "";
  };
  rig.start_relay();
  send(rig, {wanting_success("user@example.net")}, "");
  send(rig, {wanting_success("no@example.net")});
  rig.pass();
  CHECK(rig.main().mails.size() == 1);
  CHECK(rig.queued().size() == 1);
}

TEST_CASE(
    "relay: wherever the power is cut, success is told, and a mail whose delivery is noted never leaves "
    "again") {
  const mail::Recipient unknown{.address = "no@example.net", .notify = {.never = true}, .orcpt = {}};
  for (const auto& others : std::vector<std::vector<mail::Recipient>>{{}, {unknown}}) {
    unsigned owed = 0;
    unsigned over = 0;
    for (std::uint64_t step = 1; step <= 30; ++step) {
      CAPTURE(others.size());
      CAPTURE(step);
      Cut cut(step, others);
      owed += !cut.is_over() && cut.state().owes_notice;
      over += cut.is_over();
      cut.rig.start_relay();
      cut.rig.pass(1h);
      CHECK(cut.rig.queued().empty());
      CHECK(cut.sent() == cut.sent_before + (cut.was_noted ? 0 : 1));
      CHECK(cut.told() >= 1);
    }
    CHECK(owed > 0);
    CHECK(over > 0);
  }
}

TEST_CASE("relay: the notice that a crash has left owed says who took the mail, and with what words") {
  unsigned told = 0;
  for (std::uint64_t step = 1; step <= 30; ++step) {
    Cut cut(step);
    if (!cut.owes_just_the_notice()) continue;
    cut.rig.start_relay();
    cut.rig.pass();
    REQUIRE(cut.told() == 1);
    CHECK(says(notices(cut.rig).back(),
               "Original-Recipient: rfc822; first@example.net\r\n"
               "Final-Recipient: rfc822; user@example.net\r\nAction: relayed\r\nStatus: 2.0.0\r\n"
               "Remote-MTA: dns; main.example\r\nDiagnostic-Code: smtp; 250 "));
    ++told;
  }
  CHECK(told > 0);
}

TEST_CASE("relay: an owed notice is sent without its smarthost's name if that has left the route") {
  unsigned told = 0;
  for (std::uint64_t step = 1; step <= 30; ++step) {
    Cut cut(step);
    if (!cut.owes_just_the_notice()) continue;
    cut.rig.settings.smarthosts = {some_smarthost("other")};
    cut.rig.start_relay();
    cut.rig.pass();
    REQUIRE(cut.rig.hosts["other"].mails.size() == 1);
    const std::string& notice = cut.rig.hosts["other"].mails[0].content;
    CHECK(says(notice, "It has been accepted:"));
    CHECK(says(notice, "Status: 2.0.0\r\nDiagnostic-Code: smtp; 250 "));
    ++told;
  }
  CHECK(told > 0);
}
