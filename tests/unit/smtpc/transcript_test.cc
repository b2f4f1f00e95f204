// SPDX-License-Identifier: MIT
// What is recorded of a connection: by itself, and by a client that talks with a scripted peer.
#include "smtpc/transcript.h"

#include <algorithm>

#include "daemon/base/text.h"
#include "doctest/doctest.h"
#include "tests/unit/smtpc/client_rig.h"

using namespace hikyaku;
using namespace hikyaku::smtpc;
using namespace hikyaku::test;

namespace {

std::string shown_lines(const std::vector<mail::Dialogue::Line>& lines) {
  std::string text;
  for (const mail::Dialogue::Line& line : lines) {
    const char* who = line.speaker == mail::Speaker::client   ? "C "
                      : line.speaker == mail::Speaker::server ? "S "
                                                              : "- ";
    text += cat(who, line.text, "\n");
  }
  return text;
}

mail::Reply some_reply(int code, std::vector<std::string> lines) { return {code, std::move(lines), {}}; }

// After one mail to its recipients, or a refused opening.
struct Recorded {
  ClientRig rig;
  std::string text;

  void send(const std::string& script, const mail::QueuedMail& mail) {
    rig.run(script, [&](Client& client) -> Task<void> {
      auto opened = co_await client.open();
      if (!opened) {
        text = shown_lines(client.dialogue_before(opened.error().failure)->lines);
        co_return;
      }
      MemoryContent content({kContent});
      std::vector<std::size_t> all;
      for (std::size_t i = 0; i < mail.envelope.recipients.size(); ++i) all.push_back(i);
      (void)co_await client.send({mail, all, content, true}, {});
      text = shown_lines(client.dialogue_before({})->lines);
    });
    CHECK(rig.problem == "");
  }
};

constexpr const char* kOpening =
    "- connected to 192.0.2.1:587\n"
    "S 220 mx.example ready\n"
    "C EHLO client.example\n"
    "S 250-mx.example\n";

}  // namespace

TEST_CASE("transcript: who said what, and when") {
  ManualClock clock;
  Transcript transcript(clock);
  clock.advance(5ms);
  transcript.hear(some_reply(250, {"first", "second \x1b[2J"}));
  clock.advance(7ms);
  transcript.say("MAIL FROM:<a@b>\r\nDATA\r\n");
  transcript.note("25 bytes of content");
  const auto lines = transcript.lines();
  CHECK(shown_lines(lines) ==
        "S 250-first\nS 250 second \\x1b[2J\nC MAIL FROM:<a@b>\nC DATA\n- 25 bytes of content\n");
  CHECK(lines[1].after == 5ms);
  CHECK(lines[4].after == 12ms);
  CHECK(transcript.began() == clock.wall() - 12ms);
}

TEST_CASE("transcript: of a log-in nothing but the mechanism is recorded") {
  ManualClock clock;
  Transcript transcript(clock);
  for (const char* line : {"AUTH PLAIN AG1lAHNlY3JldA==", "auth login", "bWU=", "c2VjcmV0", "", "*"})
    transcript.say_login(line);
  CHECK(shown_lines(transcript.lines()) == "C AUTH PLAIN ***\nC AUTH login\nC ***\nC ***\nC ***\nC ***\n");
}

TEST_CASE("transcript: the first and the newest lines of many, however long they are") {
  for (std::size_t length : {std::size_t{5}, std::size_t{300}, std::size_t{70'000}}) {
    ManualClock clock;
    Transcript transcript(clock);
    for (int i = 0; i < 1000; ++i) transcript.say(cat("RCPT ", std::to_string(i), std::string(length, 'x')));
    const auto lines = transcript.lines();
    std::size_t bytes = 0;
    for (const auto& line : lines) bytes += line.text.size();
    CHECK(lines.size() <= Passage::kMostLines + 1);
    CHECK(bytes <= Passage::kMostBytes + 500);
    CHECK(lines.front().text.starts_with("RCPT 0x"));
    CHECK(lines.back().text.starts_with("RCPT 999x"));
    CHECK(lines.back().text.ends_with("…") == (length > Passage::kLongestLine));
    const auto left_out = std::ranges::find(lines, mail::Speaker::nobody, &mail::Dialogue::Line::speaker);
    REQUIRE(left_out != lines.end());
    CHECK(left_out->text == cat("… ", std::to_string(1001 - lines.size()), " lines left out"));
  }
}

TEST_CASE("transcript: another mail begins with what was said ahead of it, and without the one before") {
  ManualClock clock;
  Transcript transcript(clock);
  transcript.hear(some_reply(220, {"hi"}));
  transcript.begin_mail();
  transcript.say("MAIL FROM:<1>");
  transcript.say_ahead("MAIL FROM:<2>\r\n");
  transcript.hear(some_reply(250, {"taken 1"}));
  CHECK(shown_lines(transcript.lines()) == "S 220 hi\nC MAIL FROM:<1>\nS 250 taken 1\n");
  transcript.begin_mail();
  transcript.hear(some_reply(250, {"sender 2"}));
  CHECK(shown_lines(transcript.lines()) ==
        "S 220 hi\n- … mails before this one: 1\nC MAIL FROM:<2>\nS 250 sender 2\n");
}

TEST_CASE("transcript: a refused mail is recorded from the greeting on, without its content") {
  Recorded recorded;
  recorded.send(cat(hello({"PIPELINING"}),
                    "C: MAIL FROM:<a@client.example>\nC: RCPT TO:<b@x.example>\nC: DATA\n"
                    "S: 250 ok\nS: 250 ok\nS: 354 go on\nD:\nS: 554 5.7.1 spam\n",
                    "CLOSE"),
                mail_to({"b@x.example"}));
  CHECK(recorded.text == cat(kOpening,
                             "S 250-PIPELINING\nS 250 HELP\nC MAIL FROM:<a@client.example>\n"
                             "C RCPT TO:<b@x.example>\nC DATA\nS 250 ok\nS 250 ok\nS 354 go on\n"
                             "- 25 bytes of content\nC .\nS 554 5.7.1 spam\n"));
}

TEST_CASE("transcript: of a chunk too only the size is recorded") {
  Recorded recorded;
  recorded.send(cat(hello({"PIPELINING", "CHUNKING"}),
                    "C: MAIL FROM:<a@client.example>\nC: RCPT TO:<b@x.example>\nC: BDAT 25 LAST\nB 25\n"
                    "S: 250 ok\nS: 550 5.1.1 nobody\nS: 503 no recipients\nCLOSE"),
                mail_to({"b@x.example"}));
  CHECK(
      recorded.text.ends_with("C MAIL FROM:<a@client.example>\nC RCPT TO:<b@x.example>\nC BDAT 25 LAST\n"
                              "- 25 bytes of content\nS 250 ok\nS 550 5.1.1 nobody\nS 503 no recipients\n"));
  CHECK(recorded.text.find("hello you") == std::string::npos);
}

TEST_CASE("transcript: a refused log-in, with what the smarthost repeats of the password hidden") {
  Recorded recorded;
  recorded.rig.smarthost.allow_plaintext_auth = true;
  recorded.rig.smarthost.credentials = {
      .authzid = "", .user = "me", .password = Secret("secret"), .realm = "", .mechanisms = {}, .origin = ""};
  recorded.send(cat(hello({"AUTH LOGIN"}),
                    "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: bWU=\nS: 334 c2VjcmV0\nC: c2VjcmV0\n"
                    "S: 535 5.7.8 not secret\nCLOSE"),
                mail_to({"b@x.example"}));
  CHECK(recorded.text.ends_with(
      "C AUTH LOGIN\nS 334 VXNlcm5hbWU6\nC ***\nS 334 ***\nC ***\nS 535 5.7.8 not ***\n"));
}

TEST_CASE("transcript: how a connection ends stands in it") {
  Recorded recorded;
  recorded.send(cat(hello({}), "C: MAIL FROM:<a@client.example>\nCLOSE"), mail_to({"b@x.example"}));
  const std::string start = cat(kOpening, "S 250 HELP\nC MAIL FROM:<a@client.example>\n- ");
  CHECK(recorded.text.starts_with(start));
  CHECK(recorded.text.size() > start.size() + 5);
}
