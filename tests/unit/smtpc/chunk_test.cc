// SPDX-License-Identifier: MIT
// BDAT (RFC 3030): a small mail is one write, envelope and all; a large one asks first whether anybody may
// have it.
#include "daemon/base/text.h"
#include "doctest/doctest.h"
#include "tests/unit/smtpc/client_rig.h"

using namespace hikyaku;
using namespace hikyaku::smtpc;
using namespace hikyaku::test;
using mail::FailureKind;

namespace {

constexpr const char* kGoodbye = "C: QUIT\nS: 221 bye\nCLOSE";

const std::string kChunking = hello({"PIPELINING", "CHUNKING", "8BITMIME"});
// Everything before anything is answered.
const std::string kTogether = cat(kChunking,
                                  "C: MAIL FROM:<a@client.example>\nC: RCPT TO:<b@x.example>\nC: RCPT "
                                  "TO:<c@x.example>\nC: BDAT 25 LAST\nB 25\n");

TransactionResult send(ClientRig& rig, const std::string& replies) {
  return rig.send(cat(kTogether, replies), mail_to({"b@x.example", "c@x.example"}));
}

}  // namespace

TEST_CASE("smtpc: a small mail is one write with its envelope") {
  for (std::size_t largest_read : {SIZE_MAX, std::size_t{1}}) {
    ClientRig rig;
    rig.pair.largest_read = largest_read;
    auto result = send(rig, cat("S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 250 taken\n", kGoodbye));
    CHECK(rig.problem == "");
    CHECK(rig.contents == std::vector<std::string>{kContent});
    REQUIRE(result.final_reply);
    CHECK(result.recipients.size() == 2);
  }
}

TEST_CASE("smtpc: dots are not doubled in a chunk") {
  ClientRig rig;
  auto mail = mail_to({"b@x.example"});
  mail.size = 9;
  auto result =
      rig.send(cat(kChunking,
                   "C: MAIL FROM:<a@client.example>\nC: RCPT TO:<b@x.example>\nC: BDAT 9 LAST\nB 9\n"
                   "S: 250 ok\nS: 250 ok\nS: 250 taken\n",
                   kGoodbye),
               mail, {"\r\n.\r\n.x\r\n"});
  CHECK(rig.problem == "");
  CHECK(rig.contents.at(0) == "\r\n.\r\n.x\r\n");
  CHECK(result.final_reply);
}

TEST_CASE("smtpc: a chunk reaches the recipients that were accepted") {
  ClientRig rig;
  auto result = send(rig, cat("S: 250 ok\nS: 550 5.1.1 unknown\nS: 250 ok\nS: 250 taken\n", kGoodbye));
  CHECK(rig.problem == "");
  REQUIRE(result.recipients.size() == 2);
  CHECK(result.recipients[0].recipient == 0);
  CHECK(result.recipients[0].refusal->verdict.action == Action::fail_recipient);
  CHECK_FALSE(result.recipients[1].refusal);
}

TEST_CASE("smtpc: if no recipient was accepted the reply to the chunk only repeats that") {
  ClientRig rig;
  auto result = send(rig, cat("S: 250 ok\nS: 450 busy\nS: 450 busy\nS: 554 no valid recipients\n", kGoodbye));
  CHECK(rig.problem == "");
  CHECK_FALSE(result.rest);
  REQUIRE(result.recipients.size() == 2);
  CHECK(result.recipients[0].refusal->verdict.action == Action::defer_recipient);
}

TEST_CASE("smtpc: what is refused to all of us for one recipient does not hide that others have the chunk") {
  ClientRig rig;
  auto result = send(rig, "S: 250 ok\nS: 530 5.7.0 Authentication required\nS: 250 ok\nS: 250 taken\n");
  CHECK(rig.problem == "");
  CHECK(result.final_reply);
  REQUIRE(result.recipients.size() == 1);
  CHECK(result.recipients[0].recipient == 1);
  CHECK_FALSE(result.recipients[0].refusal);
  REQUIRE(result.rest);
  CHECK(result.rest->verdict.action == Action::pause_lane);
}

TEST_CASE("smtpc: a reply before anything was sent is none to the chunk, and nobody has it") {
  for (std::string unasked : {"421 4.4.2 idle", "550 5.7.1 no"}) {
    ClientRig rig;
    auto result = rig.send(cat(kChunking, "S: ", unasked, "\nCLOSE"), mail_to({"b@x.example"}));
    CHECK(rig.heard.size() == 1);  // EHLO
    CHECK(result.recipients.empty());
    REQUIRE(result.rest);
    CHECK(result.rest->verdict.action == Action::abort_attempt);
  }
}

TEST_CASE("smtpc: a chunk that makes one block with its envelope still waits for no reply amid it") {
  std::string content(kMostTogether, 'x');
  auto mail = mail_to({"b@x.example"});
  mail.size = content.size();
  ClientRig rig;
  auto result = rig.send(
      cat(kChunking,
          "C: MAIL FROM:<a@client.example>\nC: RCPT TO:<b@x.example>\nS: 250 ok\nS: 250 "
          "ok\nC: BDAT ",
          std::to_string(mail.size), " LAST\nB ", std::to_string(mail.size), "\nS: 250 taken\n", kGoodbye),
      mail, {content.substr(0, 60'000), content.substr(60'000)});
  CHECK(rig.problem == "");
  CHECK(result.final_reply);
}

TEST_CASE("smtpc: a refused sender, and the chunk with it") {
  ClientRig rig;
  auto result = send(rig, cat("S: 550 5.1.8 no such sender\nS: 503 no\nS: 503 no\nS: 503 no\n", kGoodbye));
  CHECK(rig.problem == "");
  REQUIRE(result.rest);
  CHECK(result.rest->failure.reply->code == 550);
  CHECK(result.recipients.empty());
}

TEST_CASE("smtpc: a transaction without an accepted recipient is reset before the next") {
  ClientRig rig;
  std::vector<TransactionResult> results;
  std::string one = "C: MAIL FROM:<a@client.example>\nC: RCPT TO:<b@x.example>\nC: BDAT 25 LAST\nB 25\n";
  rig.run(cat(kChunking, one, "S: 250 ok\nS: 450 busy\nS: 554 nobody\nC: RSET\nS: 250 ok\n", one,
              "S: 250 ok\nS: 250 ok\nS: 250 taken\n", one, "S: 250 ok\nS: 250 ok\nS: 250 taken\n", kGoodbye),
          [&](Client& client) -> Task<void> {
            auto opened = co_await client.open();
            CHECK(opened);
            for (int i = 0; i < 3; ++i) {
              auto mail = mail_to({"b@x.example"});
              MemoryContent content({kContent});
              results.push_back(co_await client.send({mail, {0}, content, true}, {}));
            }
            co_await client.quit();
          });
  CHECK(rig.problem == "");
  REQUIRE(results.size() == 3);
  CHECK(results[1].final_reply);
  CHECK(results[2].final_reply);
}

TEST_CASE("smtpc: a connection that is lost once the chunk is out may have delivered") {
  for (std::string heard : {"", "S: 250 ok\n", "S: 250 ok\nS: 250 ok\nS: 250 ok\n"}) {
    ClientRig rig;
    auto result = send(rig, heard + "CLOSE");
    REQUIRE(result.rest);
    CHECK(result.rest->failure.kind == FailureKind::reply_lost);
  }
}

TEST_CASE("smtpc: 421 instead of any reply is no delivery") {
  for (std::string heard : {"", "S: 250 ok\n", "S: 250 ok\nS: 250 ok\nS: 250 ok\n"}) {
    ClientRig rig;
    auto result = send(rig, heard + "S: 421 closing\nCLOSE");
    REQUIRE(result.rest);
    CHECK(result.rest->failure.reply->code == 421);
    CHECK_FALSE(result.final_reply);
  }
}

TEST_CASE("smtpc: a chunk waits as a whole for the hook") {
  ClientRig rig;
  rig.before_final_dot = []() -> Task<bool> { co_return false; };
  auto result = rig.send(kChunking, mail_to({"b@x.example"}));
  REQUIRE(result.rest);
  CHECK(result.rest->failure.kind == FailureKind::other);
  CHECK(rig.heard.size() == 1);  // EHLO
}

TEST_CASE("smtpc: a large mail asks first, and its last bytes wait for the hook") {
  std::string content(200'000, 'x');
  auto mail = mail_to({"b@x.example"});
  mail.size = content.size();
  std::string envelope = cat(kChunking,
                             "C: MAIL FROM:<a@client.example>\nC: RCPT TO:<b@x.example>\nS: 250 ok\nS: 250 "
                             "ok\nC: BDAT 200000 LAST\nB 200000\n");
  for (bool may_leave : {true, false}) {
    ClientRig rig;
    rig.before_final_dot = [may_leave]() -> Task<bool> { co_return may_leave; };
    auto result = rig.send(cat(envelope, "S: 250 taken\n", kGoodbye), mail, {content});
    CHECK(result.final_reply.has_value() == may_leave);
    CHECK((rig.contents.at(0) == content) == may_leave);
    CHECK(rig.contents.at(0).size() > 60'000);
  }
}

TEST_CASE("smtpc: a large mail whose recipients were all refused is not sent") {
  auto mail = mail_to({"b@x.example"});
  mail.size = 200'000;
  ClientRig rig;
  auto result = rig.send(
      cat(kChunking, "C: MAIL FROM:<a@client.example>\nC: RCPT TO:<b@x.example>\nS: 250 ok\nS: 550 no\n",
          kGoodbye),
      mail, {std::string(200'000, 'x')});
  CHECK(rig.problem == "");
  CHECK(result.recipients.size() == 1);
}

TEST_CASE("smtpc: a content of another size than announced never comes to its end") {
  for (std::uint64_t size : {std::uint64_t{24}, std::uint64_t{26}}) {
    auto mail = mail_to({"b@x.example"});
    mail.size = size;
    ClientRig rig;
    auto result = rig.send(kChunking, mail);
    REQUIRE(result.rest);
    CHECK(result.rest->failure.kind == FailureKind::other);
    CHECK(rig.heard.size() == 1);
  }
}
