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

TEST_CASE("relay: NOTIFY=SUCCESS at a smarthost with DSN is passed on, and nothing is told by us") {
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

TEST_CASE("relay: who sends from <>, or gets no mail through, hears of no success") {
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

TEST_CASE("relay: wherever the power is cut, a mail that has ended has told of its success") {
  unsigned ended = 0;
  for (std::uint64_t step = 1; step <= 30; ++step) {
    RelayRig rig;
    rig.main().answer = [](const std::string& command) {
      return command.starts_with("RCPT TO:<no@") ? "550 5.1.1 unknown" : "";
    };
    const mail::MailId id = send(
        rig, {wanting_success("user@example.net"), {.address = "no@example.net", .notify = {}, .orcpt = {}}});
    rig.disk->cut_power_at(rig.disk->steps() + step);
    rig.start_relay();
    rig.pass();
    rig.stop_relay();
    rig.crash(step);
    const auto left = rig.queued();
    const bool is_over = std::ranges::find(left, id) == left.end();
    const auto has_it = [&](const mail::RecipientProgress& r) {
      return r.state == mail::RecipientState::delivered;
    };
    bool is_noted = is_over;
    if (!is_over) is_noted = has_it(rig.loop.run(rig.spool->load(id))->progress.recipients[0]);
    std::size_t told = 0;
    for (const std::string& notice : notices(rig)) told += says(notice, "Action: relayed");
    for (mail::MailId other : left) told += other != id && says(rig.content(other), "Action: relayed");
    INFO("cut at step ", step);
    CHECK((!is_noted || told >= 1));
    ended += is_over;
  }
  CHECK(ended > 0);
}
