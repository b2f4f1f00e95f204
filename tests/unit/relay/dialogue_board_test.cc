// SPDX-License-Identifier: MIT
// What was said before failures: the board by itself, and what a whole relay puts there.
#include "daemon/relay/dialogue_board.h"

#include <algorithm>
#include <ranges>

#include "daemon/base/text.h"
#include "tests/unit/relay/relay_rig.h"

using namespace hikyaku;
using namespace hikyaku::relay;
using namespace hikyaku::test;

namespace {

mail::DialoguePtr dialogue_of(std::string failure) {
  mail::Dialogue dialogue;
  dialogue.failure = std::move(failure);
  return std::make_shared<const mail::Dialogue>(std::move(dialogue));
}

bool is_said(const mail::DialoguePtr& dialogue, std::string_view text) {
  return dialogue != nullptr && std::ranges::any_of(dialogue->lines, [&](const mail::Dialogue::Line& line) {
           return line.text.find(text) != line.text.npos;
         });
}

}  // namespace

TEST_CASE("dialogues: the newest of each mail, within the memory") {
  DialogueBoard board(20'000);
  for (std::uint64_t i = 0; i < 1000; ++i) board.note(mail::MailId{i}, dialogue_of("once"));
  CHECK(board.of(mail::MailId{0}) == nullptr);
  board.note(mail::MailId{999}, dialogue_of("again"));
  board.note(mail::MailId{999}, nullptr);
  REQUIRE(board.of(mail::MailId{999}));
  CHECK(board.of(mail::MailId{999})->failure == "again");
  const auto kept = std::ranges::count_if(std::views::iota(std::uint64_t{0}, std::uint64_t{1000}),
                                          [&](auto i) { return board.of(mail::MailId{i}) != nullptr; });
  CHECK(kept > 10);
  CHECK(kept < 200);
  board.note(mail::MailId{1}, dialogue_of(std::string(30'000, 'x')));  // more than there is room for
  CHECK(board.of(mail::MailId{1}) == nullptr);
}

TEST_CASE("dialogues: of smarthosts only those that are configured") {
  DialogueBoard board;
  board.configure({some_smarthost("main"), some_smarthost("backup")});
  board.note("main", dialogue_of("down"));
  board.note("other", dialogue_of("down"));
  CHECK(board.of("main")->failure == "down");
  CHECK(board.of("backup") == nullptr);
  CHECK(board.of("other") == nullptr);
  board.configure({some_smarthost("main"), some_smarthost("other")});
  CHECK(board.of("main") != nullptr);
  CHECK(board.of("other") == nullptr);
}

TEST_CASE("dialogues: a mail that is deferred leaves its own, one that is delivered none") {
  RelayRig rig;
  rig.main().answer = [](const std::string& command) {
    return command.starts_with("RCPT TO:<later@") ? "450 4.2.1 not now" : "";
  };
  rig.start_relay();
  const auto taken = rig.send({"user@example.net"});
  const auto waits = rig.send({"later@example.net"});
  rig.pass();
  REQUIRE(rig.main().mails.size() == 1);
  CHECK(rig.relay->dialogues().of(taken) == nullptr);
  const auto dialogue = rig.relay->dialogues().of(waits);
  REQUIRE(dialogue);
  CHECK(is_said(dialogue, "RCPT TO:<later@example.net>"));
  CHECK(is_said(dialogue, "450 4.2.1 not now"));
  CHECK_FALSE(is_said(dialogue, "user@example.net"));
  CHECK(dialogue->smarthost == "main");
  CHECK(dialogue->failure.find("not now") != std::string::npos);
  CHECK(rig.relay->report().smarthosts[0].last_failure == nullptr);  // that is the mail's trouble alone
}

TEST_CASE("dialogues: a smarthost's session that fails, with the connection or without") {
  RelayRig rig;
  rig.settings.smarthosts[0].credentials = some_credentials("wrong");
  rig.main().answer = [](const std::string& command) {
    return command.starts_with("AUTH") ? "535 5.7.8 no" : "";
  };
  rig.start_relay();
  const auto id = rig.send();
  rig.pass();
  auto dialogue = rig.relay->report().smarthosts[0].last_failure;
  REQUIRE(dialogue);
  CHECK(is_said(dialogue, "AUTH PLAIN ***"));
  CHECK(is_said(dialogue, "535 5.7.8 no"));
  CHECK(rig.relay->dialogues().of(id) == nullptr);  // it was never tried
  rig.main().is_down = true;
  rig.reload();
  rig.pass();
  dialogue = rig.relay->report().smarthosts[0].last_failure;
  REQUIRE(dialogue);
  CHECK(dialogue->lines.empty());
  CHECK_FALSE(dialogue->failure.empty());
}

TEST_CASE("dialogues: a session that breaks off amid a mail is the smarthost's and the mail's") {
  RelayRig rig;
  rig.main().answer = [](const std::string& command) { return command.starts_with("MAIL") ? "HANG UP" : ""; };
  rig.start_relay();
  const auto id = rig.send();
  rig.pass();
  const auto dialogue = rig.relay->dialogues().of(id);
  CHECK(is_said(dialogue, "MAIL FROM:<app@example.com>"));
  CHECK(rig.relay->report().smarthosts[0].last_failure == dialogue);
}

TEST_CASE("dialogues: mail for a domain whose server cannot be reached shows what was tried") {
  RelayRig rig;
  rig.settings.smarthosts[0].direct = true;
  rig.settings.smarthosts[0].host.clear();
  rig.hosts["example.net"].answer = [](const std::string& command) {
    return command.empty() ? "554 5.7.1 go away" : "";
  };
  rig.start_relay();
  const auto id = rig.send({"user@example.net"});
  rig.pass();
  const auto dialogue = rig.relay->dialogues().of(id);
  CHECK(is_said(dialogue, "554 5.7.1 go away"));
  CHECK(dialogue->host == "example.net");
}
