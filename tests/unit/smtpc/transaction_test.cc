// SPDX-License-Identifier: MIT
// MAIL, RCPT, DATA, the content, and exactly what became of whom (SECURITY.md, C6 to C10: a hostile
// smarthost).
#include "smtpc/transaction.h"

#include "daemon/base/text.h"
#include "doctest/doctest.h"
#include "tests/unit/smtpc/client_rig.h"

using namespace hikyaku;
using namespace hikyaku::smtpc;
using namespace hikyaku::test;
using mail::FailureKind;
using mail::Stage;

namespace {

constexpr const char* kMail = "C: MAIL FROM:<a@client.example>\n";
constexpr const char* kRcptB = "C: RCPT TO:<b@x.example>\n";
constexpr const char* kRcptC = "C: RCPT TO:<c@x.example>\n";
constexpr const char* kRcptD = "C: RCPT TO:<d@x.example>\n";
constexpr const char* kData = "C: DATA\n";
constexpr const char* kEnd = "C: QUIT\nS: 221 bye\nCLOSE";

const std::string kEightBit = hello({"8BITMIME"});
const std::string kPipelining = hello({"PIPELINING"});

mail::QueuedMail to_b() { return mail_to({"b@x.example"}); }
mail::QueuedMail to_bcd() { return mail_to({"b@x.example", "c@x.example", "d@x.example"}); }

// All commands of a pipelined envelope for b, c and d, read before anything is answered.
std::string group(const std::string& replies) {
  return cat(kPipelining, kMail, kRcptB, kRcptC, kRcptD, kData, replies);
}

const RecipientOutcome& outcome_of(const TransactionResult& result, std::size_t recipient) {
  for (const RecipientOutcome& outcome : result.recipients)
    if (outcome.recipient == recipient) return outcome;
  FAIL("no outcome of its own for ", recipient);
  return result.recipients.front();
}

bool is_delivered(const TransactionResult& result, std::size_t recipient) {
  return !outcome_of(result, recipient).refusal.has_value();
}

std::string reply_of(const std::optional<Refusal>& refusal) {
  REQUIRE(refusal);
  REQUIRE(refusal->failure.reply);
  return mail::to_text(*refusal->failure.reply);
}

FailureKind kind_of_rest(const TransactionResult& result) {
  REQUIRE(result.rest);
  return result.rest->failure.kind;
}

}  // namespace

TEST_CASE("smtpc: a mail step by step, byte for byte") {
  for (std::size_t largest_read : {SIZE_MAX, std::size_t{1}}) {
    ClientRig rig;
    rig.pair.largest_read = largest_read;
    auto result = rig.send(cat(kEightBit, kMail, "S: 250 ok\n", kRcptB, "S: 250 ok\n", kData,
                               "S: 354 go ahead\nD:\n", "S: 250 2.0.0 Ok: queued as F074F9FB0E\n", kEnd),
                           to_b());
    CHECK(rig.problem == "");
    CHECK_FALSE(result.rest);
    CHECK(is_delivered(result, 0));
    CHECK(mail::to_text(*result.final_reply) == "250 2.0.0 Ok: queued as F074F9FB0E");
    CHECK(rig.contents == std::vector<std::string>{cat(kContent, ".\r\n")});
  }
}

TEST_CASE("smtpc: with PIPELINING the envelope is one write, answered in one") {
  ClientRig rig;
  auto result = rig.send(
      cat(kPipelining, kMail, kRcptB, kData,
          "S: 250 Requested mail action okay, completed\nS: 250 ok\nS: 354 x\nD:\nS: 250 ok 1536825396 "
          "qp 2277\n",
          kEnd),
      to_b());
  CHECK(rig.problem == "");
  CHECK(is_delivered(result, 0));
}

TEST_CASE("smtpc: a thousand recipients go out in groups, and each has its own outcome") {
  std::vector<std::string> addresses;
  std::string script = cat(kPipelining, kMail);
  std::string replies = "S: 250 ok\n";
  for (int i = 0; i < 1000; ++i) {
    addresses.push_back(cat("r", std::to_string(i), "@x.example"));
    script += cat("C: RCPT TO:<", addresses.back(), ">\n");
    replies += i % 2 == 0 ? "S: 250 ok\n" : "S: 450 busy\n";
    if ((i + 2) % 100 == 0) script += std::exchange(replies, "");
  }
  script += cat(kData, replies, "S: 354 x\nD:\nS: 250 ok\n", kEnd);
  ClientRig rig;
  auto result = rig.send(script, mail_to(addresses));
  CHECK(rig.problem == "");
  REQUIRE(result.recipients.size() == 1000);
  CHECK(is_delivered(result, 998));
  CHECK(reply_of(outcome_of(result, 999).refusal) == "450 busy");
}

TEST_CASE("smtpc: each recipient has its own reply: 250, 450 and 550 in one transaction") {
  ClientRig rig;
  auto result = rig.send(
      group("S: 250 ok\nS: 250 ok\nS: 450 4.2.1 full\nS: 550-5.1.1 who\nS: 550 5.1.1 is that\nS: 354 x\n") +
          cat("D:\nS: 250 done\n", kEnd),
      to_bcd());
  CHECK(rig.problem == "");
  CHECK_FALSE(result.rest);
  CHECK(is_delivered(result, 0));
  CHECK(reply_of(outcome_of(result, 1).refusal) == "450 4.2.1 full");
  CHECK(outcome_of(result, 1).refusal->verdict.action == Action::defer_recipient);
  CHECK(reply_of(outcome_of(result, 2).refusal) == "550 5.1.1 who / 5.1.1 is that");
  CHECK(outcome_of(result, 2).refusal->verdict.action == Action::fail_recipient);
  CHECK(outcome_of(result, 2).refusal->failure.recipient == "d@x.example");
  CHECK(outcome_of(result, 2).refusal->failure.sender == "a@client.example");
}

TEST_CASE("smtpc: 421 in the middle ends the connection; what was answered before it counts") {
  for (bool pipelined : {true, false}) {
    ClientRig rig;
    auto result = rig.send(pipelined ? group("S: 250 ok\nS: 550 no\nS: 421 closing\nCLOSE")
                                     : cat(kEightBit, kMail, "S: 250 ok\n", kRcptB, "S: 550 no\n", kRcptC,
                                           "S: 421 closing\nCLOSE"),
                           to_bcd());
    CHECK(rig.problem == "");
    REQUIRE(result.recipients.size() == 1);
    CHECK(outcome_of(result, 0).refusal->verdict.action == Action::fail_recipient);
    CHECK(reply_of(result.rest) == "421 closing");
    CHECK(result.rest->verdict.action == Action::abort_attempt);
  }
}

TEST_CASE("smtpc: 354 although all were refused is answered with a lone dot, and delivers nothing") {
  for (const char* answer : {"250 thanks", "554 no recipients"}) {
    ClientRig rig;
    auto result = rig.send(
        group("S: 250 ok\nS: 550 a\nS: 550 b\nS: 450 c\nS: 354 x\n") + cat("C: .\nS: ", answer, "\n", kEnd),
        to_bcd());
    CHECK(rig.problem == "");
    CHECK(result.recipients.size() == 3);
    CHECK_FALSE(result.rest);
    CHECK_FALSE(result.final_reply);
    CHECK(outcome_of(result, 0).refusal);
  }
}

TEST_CASE("smtpc: DATA refused for want of an accepted recipient adds no failure") {
  ClientRig rig;
  auto result = rig.send(
      group("S: 250 ok\nS: 550 a\nS: 550 b\nS: 450 c\nS: 554 5.5.1 no valid recipients\n") + kEnd, to_bcd());
  CHECK(rig.problem == "");
  CHECK(result.recipients.size() == 3);
  CHECK_FALSE(result.rest);
}

TEST_CASE("smtpc: MAIL refused is about the whole mail; what was sent along is not heard") {
  ClientRig rig;
  auto result =
      rig.send(group("S: 550 5.1.8 sender\nS: 503 a\nS: 503 b\nS: 503 c\nS: 503 d\n") + kEnd, to_bcd());
  CHECK(rig.problem == "");
  CHECK(result.recipients.empty());
  CHECK(reply_of(result.rest) == "550 5.1.8 sender");
  CHECK(result.rest->failure.stage == Stage::mail);
  CHECK(result.rest->failure.sender == "a@client.example");
}

TEST_CASE("smtpc: while a smarthost is unproven a refused sender only defers") {
  for (bool proven : {true, false}) {
    ClientRig rig;
    rig.proven = proven;
    auto result = rig.send(cat(kEightBit, kMail, "S: 550 5.1.8 sender\n", kEnd), to_b());
    REQUIRE(result.rest);
    CHECK(result.rest->verdict.action == (proven ? Action::fail_message : Action::defer_unproven));
    CHECK(result.rest->failure.unproven == !proven);
  }
}

TEST_CASE("smtpc: what bounces although a smarthost is unproven is not blamed on the configuration") {
  ClientRig rig;
  rig.proven = false;
  auto unknown =
      rig.send(cat(kEightBit, kMail, "S: 250 ok\n", kRcptB, "S: 550 5.1.1 no such user\n", kEnd), to_b());
  const auto& refusal = outcome_of(unknown, 0).refusal;
  REQUIRE(refusal);
  CHECK(refusal->verdict.action == Action::fail_recipient);
  CHECK_FALSE(refusal->failure.unproven);

  auto doubtful = rig.send(cat(kEightBit, kMail, "S: 550 5.1.8 bad sender\n", kEnd), to_b());
  REQUIRE(doubtful.rest);
  CHECK(doubtful.rest->failure.unproven);
}

TEST_CASE("smtpc: a refusal of the smarthost inside a transaction hangs up and pauses the lane") {
  ClientRig rig;
  auto result = rig.send(group("S: 250 ok\nS: 250 ok\nS: 530 5.7.0 authentication required\n"), to_bcd());
  REQUIRE(result.rest);
  CHECK(result.rest->verdict.action == Action::pause_lane);
  CHECK(result.recipients.empty());
  CHECK(rig.contents.empty());
}

TEST_CASE("smtpc: the reply to the final dot is about the message, for all who were accepted") {
  ClientRig rig;
  auto result = rig.send(group("S: 250 ok\nS: 250 ok\nS: 550 5.1.1 c\nS: 250 ok\nS: 354 x\n") +
                             cat("D:\nS: 552 5.3.4 too big\n", kEnd),
                         to_bcd());
  CHECK(rig.problem == "");
  REQUIRE(result.recipients.size() == 1);
  CHECK(outcome_of(result, 1).refusal);
  CHECK(kind_of_rest(result) == FailureKind::too_large);
  CHECK(result.rest->failure.stage == Stage::message);
  CHECK_FALSE(result.final_reply);
}

TEST_CASE("smtpc: a reply lost after the final dot is reported as such") {
  for (const char* end : {"CLOSE", "R: 25\nCLOSE", "SLEEP 660"}) {
    INFO(std::string(end));
    ClientRig rig;
    auto result = rig.send(
        cat(kEightBit, kMail, "S: 250 ok\n", kRcptB, "S: 250 ok\n", kData, "S: 354 x\nD:\n", end), to_b());
    CHECK(kind_of_rest(result) == FailureKind::reply_lost);
    CHECK(result.rest->verdict.action == Action::abort_attempt);
    CHECK(result.recipients.empty());
  }
}

TEST_CASE("smtpc: the reply to the final dot may take ten minutes") {
  ClientRig rig;
  auto result = rig.send(cat(kEightBit, kMail, "S: 250 ok\n", kRcptB, "S: 250 ok\n", kData,
                             "S: 354 x\nD:\nSLEEP 590\nS: 250 ok\n", kEnd),
                         to_b());
  CHECK(is_delivered(result, 0));
}

TEST_CASE("smtpc: a connection lost before the final dot is no lost reply") {
  for (const char* script : {"", "S: 250 ok\n", "S: 250 ok\nC: RCPT TO:<b@x.example>\n"}) {
    ClientRig rig;
    auto result = rig.send(cat(kEightBit, kMail, script, "CLOSE"), to_b());
    CHECK(kind_of_rest(result) == FailureKind::closed_early);
    CHECK(result.rest->failure.concerns == mail::Concerns::message);
  }
}

TEST_CASE("smtpc: nonsense is never a success") {
  for (const char* nonsense : {"25", "999 x", "2500 ok", "abc", "354 go", "", "334 "}) {
    INFO(std::string(nonsense));
    ClientRig rig;
    auto result = rig.send(
        cat(kEightBit, kMail, "S: 250 ok\n", kRcptB, "S: 250 ok\n", kData, "S: 354 x\nD:\nS: ", nonsense),
        to_b());
    CHECK(result.rest);
    CHECK_FALSE(result.final_reply);
    CHECK(kind_of_rest(result) == FailureKind::protocol_error);
  }
}

TEST_CASE("smtpc: a second reply to one command is not taken for the next command's") {
  ClientRig rig;
  auto result = rig.send(cat(kEightBit, kMail, "S: 250 ok\nS: 250 ok\n"), to_b());
  CHECK(kind_of_rest(result) == FailureKind::protocol_error);
  CHECK(rig.problem == "");  // RCPT was not sent
}

TEST_CASE("smtpc: a reply before the final dot delivers nothing, and a refusal counts") {
  struct {
    const char* early;
    FailureKind kind;
    Action action;
  } const kCases[] = {
      {"S: 250 thanks\n", FailureKind::protocol_error, Action::abort_attempt},
      {"S: 552 5.3.4 stop\n", FailureKind::too_large, Action::fail_message},
      {"S: 421 bye\nCLOSE", FailureKind::smarthost_refuses, Action::abort_attempt},
  };
  for (const auto& row : kCases) {
    INFO(std::string(row.early));
    ClientRig rig;
    auto result = rig.send(
        cat(kEightBit, kMail, "S: 250 ok\n", kRcptB, "S: 250 ok\n", kData, "S: 354 x\n", row.early), to_b());
    CHECK(kind_of_rest(result) == row.kind);
    CHECK(result.rest->verdict.action == row.action);
    CHECK(rig.heard.back() == "DATA");
  }
}

TEST_CASE("smtpc: what the peer said before it hung up counts, although writing the content failed") {
  ClientRig rig;
  rig.pair.capacity = 1000;
  auto result = rig.send(cat(kEightBit, kMail, "S: 250 ok\n", kRcptB, "S: 250 ok\n", kData,
                             "S: 354 x\nSLEEP 1\nS: 554 5.6.0 virus\nCLOSE"),
                         to_b(), {std::string(300'000, 'x')});
  CHECK(reply_of(result.rest) == "554 5.6.0 virus");
}

TEST_CASE("smtpc: a server that answers a group out of step gets plain dialogue from then on") {
  const std::string kScripts[] = {
      group("S: 250 ok\nS: 250 ok\nSLEEP 400"),                                        // fewer
      group("S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 250 ok\n"),                // 250 to DATA
      group("S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 x\nS: 354 y\n"),       // more
      group("S: 250 ok\nS: 503 MAIL first\n"),                                         // it lost MAIL
      group("S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 503 5.5.1 RCPT first\n"),  // it lost RCPT
      group("S: 250 ok\nS: 250 ok\nS: 550 5.1.1 no\nS: what\n"),                       // nonsense
      group("S: 550 5.1.8 no\nS: 250 ok\n"),                               // MAIL refused, RCPT not
      group("S: 550 5.1.8 no\nS: 503 a\nS: 503 b\nS: 503 c\nS: 354 x\n"),  // MAIL refused, DATA not
  };
  for (const std::string& script : kScripts) {
    INFO(script.substr(script.find("C: DATA")));
    ClientRig rig;
    auto result = rig.send(script, to_bcd());
    CHECK(kind_of_rest(result) == FailureKind::protocol_error);
    CHECK(result.rest->verdict.action == Action::abort_attempt);
    CHECK(result.recipients.empty());
    CHECK(rig.contents.empty());
    CHECK(rig.knowledge.plain_dialogue);
    auto again = rig.send(cat(kPipelining, kMail, "S: 250 ok\n", kRcptB, "S: 250 ok\n", kData,
                              "S: 354 x\nD:\nS: 250 ok\n", kEnd),
                          to_b());
    CHECK(rig.problem == "");
    CHECK(is_delivered(again, 0));
  }
}

TEST_CASE("smtpc: a mail larger than the smarthost takes is refused before MAIL") {
  ClientRig rig;
  auto mail = to_b();
  mail.size = 2000;
  auto result = rig.send(hello({"SIZE 1999"}) + kEnd, mail);
  CHECK(rig.problem == "");
  CHECK(kind_of_rest(result) == FailureKind::too_large);
  CHECK(result.rest->verdict.action == Action::fail_message);
  CHECK(result.rest->failure.size == 2000);
  CHECK(result.rest->failure.max_size == 1999);
  CHECK(mail::to_text(status_of(result.rest->failure, true)) == "5.3.4");
}

TEST_CASE("smtpc: SIZE without a number is no limit, and tells our size") {
  for (const char* keyword : {"SIZE", "SIZE 0", "SIZE 2000"}) {
    ClientRig rig;
    auto mail = to_b();
    mail.size = 2000;
    auto result = rig.send(
        cat(hello({keyword}), "C: MAIL FROM:<a@client.example> SIZE=2000\nS: 452 full\n", kEnd), mail);
    CHECK(rig.problem == "");
    CHECK(result.rest->verdict.action == Action::defer_message);
  }
}

TEST_CASE("smtpc: an address that needs SMTPUTF8 is refused where it is not offered") {
  ClientRig rig;
  auto mail = to_bcd();
  mail.envelope.recipients[1].address = "\xc3\xbc@x.example";
  auto result = rig.send(cat(kEightBit, kMail, "S: 250 ok\n", kRcptB, "S: 250 ok\n", kRcptD, "S: 250 ok\n",
                             kData, "S: 354 x\nD:\nS: 250 ok\n", kEnd),
                         mail);
  CHECK(rig.problem == "");
  CHECK(is_delivered(result, 0));
  CHECK(is_delivered(result, 2));
  CHECK(outcome_of(result, 1).refusal->failure.kind == FailureKind::smtputf8_needed);
  CHECK(outcome_of(result, 1).refusal->verdict.action == Action::fail_recipient);

  mail.envelope.sender = "\xc3\xa4@client.example";
  result = rig.send(kEightBit + kEnd, mail);
  CHECK(rig.problem == "");
  CHECK(result.rest->verdict.action == Action::fail_message);
  CHECK(mail::to_text(status_of(result.rest->failure, true)) == "5.6.7");

  result = rig.send(
      cat(hello({"SMTPUTF8"}), "C: MAIL FROM:<\xc3\xa4@client.example> SMTPUTF8\nS: 450 later\n", kEnd),
      mail);
  CHECK(rig.problem == "");
}

TEST_CASE("smtpc: content of which enough is known is not looked at again") {
  ClientRig rig;
  auto mail = to_b();
  mail.envelope.traits = {.is_seven_bit = true, .has_no_dot_line = true};
  const std::string kContradiction = "Subject: x\r\n\r\n.\xc3\xa4\r\n";
  auto result = rig.send(cat(hello({"8BITMIME"}), kMail, "S: 250 ok\n", kRcptB, "S: 250 ok\n", kData,
                             "S: 354 x\nD:\nS: 250 ok\n", kEnd),
                         mail, {kContradiction});
  CHECK(rig.problem == "");
  CHECK(rig.contents == std::vector<std::string>{kContradiction + ".\r\n"});
}

TEST_CASE("smtpc: 8-bit content is announced where it can be, and never changed") {
  const std::string kEight = "Subject: x\r\n\r\n\xc3\xa4\xff\r\n";
  for (bool offered : {true, false}) {
    ClientRig rig;
    auto result = rig.send(cat(hello({offered ? "8BITMIME" : "DSN"}), "C: MAIL FROM:<a@client.example>",
                               offered ? " BODY=8BITMIME" : "", "\nS: 250 ok\n", kRcptB, "S: 250 ok\n", kData,
                               "S: 354 x\nD:\nS: 250 ok\n", kEnd),
                           to_b(), {kEight});
    CHECK(rig.problem == "");
    CHECK(rig.contents == std::vector<std::string>{kEight + ".\r\n"});
  }
}
