// SPDX-License-Identifier: MIT
// What a smarthost's rules make of a mail on its way: commands, size and content.
#include "daemon/base/text.h"
#include "daemon/mail/rewriting_reader.h"
#include "doctest/doctest.h"
#include "tests/unit/smtpc/client_rig.h"

using namespace hikyaku;
using namespace hikyaku::smtpc;
using namespace hikyaku::test;
using mail::FailureKind;

namespace {

constexpr const char* kGoodEnd = "C: QUIT\nS: 221 bye\nCLOSE";
constexpr const char* kStored = "From: Anna <a@client.example>\r\nSubject: x\r\n\r\n.hello\r\n";
constexpr const char* kLeaves =
    "From: Anna <me@account.example>\r\nSubject: x\r\nReply-To: Anna <a@client.example>\r\n\r\n.hello\r\n";
const std::string kSizeOfLeaving = std::to_string(std::string_view(kLeaves).size());

mail::Rewriting account_rules() {
  return {.envelope_from = "me@account.example", .header_from = "me@account.example"};
}

mail::QueuedMail stored_mail() {
  auto mail = mail_to({"b@x.example"});
  mail.size = std::string_view(kStored).size();
  return mail;
}

// The dialogue of one mail over DATA, with what MAIL says.
std::string dialogue(const std::string& mail_parameters) {
  return cat("C: MAIL FROM:", mail_parameters, "\nS: 250 ok\nC: RCPT TO:<b@x.example>\nS: 250 ok\n",
             "C: DATA\nS: 354 x\nD:\nS: 250 ok\n", kGoodEnd);
}

std::string read_all(io::Loop& loop, mail::ContentReader& reader) {
  std::string all;
  for (;;) {
    auto piece = loop.run(reader.next());
    REQUIRE(piece);
    if (piece->empty()) return all;
    all += *piece;
  }
}

std::vector<std::string> pieces_of(std::string_view text, std::size_t size) {
  std::vector<std::string> pieces;
  for (; !text.empty(); text.remove_prefix(std::min(size, text.size())))
    pieces.emplace_back(text.substr(0, size));
  return pieces;
}

}  // namespace

TEST_CASE("smtpc: with a smarthost's address, envelope, From and SIZE are those of the mail that leaves") {
  ClientRig rig;
  rig.smarthost.rewrite = account_rules();
  auto result = rig.send(cat(hello({"SIZE"}), dialogue(cat("<me@account.example> SIZE=", kSizeOfLeaving))),
                         stored_mail(), {kStored});
  CHECK(rig.problem == "");
  CHECK(result.final_reply);
  CHECK(rig.contents ==
        std::vector<std::string>{
            cat(std::string(kLeaves).insert(std::string_view(kLeaves).size() - 8, "."), ".\r\n")});
}

TEST_CASE("smtpc: a rewritten mail as one chunk has the size of the content that leaves") {
  ClientRig rig;
  rig.smarthost.rewrite = account_rules();
  auto result =
      rig.send(cat(hello({"PIPELINING", "CHUNKING"}),
                   "C: MAIL FROM:<me@account.example>\nC: RCPT TO:<b@x.example>\nC: BDAT ", kSizeOfLeaving,
                   " LAST\nB ", kSizeOfLeaving, "\nS: 250 ok\nS: 250 ok\nS: 250 ok\n", kGoodEnd),
               stored_mail(), pieces_of(kStored, 7));
  CHECK(rig.problem == "");
  CHECK(result.final_reply);
  CHECK(rig.contents == std::vector<std::string>{kLeaves});
}

TEST_CASE("smtpc: a mail that grows beyond the announced SIZE is refused before it is tried") {
  ClientRig rig;
  rig.smarthost.rewrite = account_rules();
  auto result = rig.send(cat(hello({cat("SIZE ", std::to_string(stored_mail().size))}), kGoodEnd),
                         stored_mail(), {kStored});
  CHECK(rig.problem == "");
  REQUIRE(result.rest);
  CHECK(result.rest->failure.kind == FailureKind::too_large);
  CHECK(result.rest->failure.size == std::string_view(kLeaves).size());
}

TEST_CASE("smtpc: the null sender leaves as it is, or as the address for it; ENVID and ORCPT stay") {
  for (const char* instead : {"", "bounces@account.example"}) {
    ClientRig rig;
    rig.smarthost.rewrite = {.envelope_from = "me@account.example", .null_sender = instead};
    auto mail = stored_mail();
    mail.envelope.sender.clear();
    mail.envelope.envid = "e1";
    mail.envelope.recipients[0].orcpt = "rfc822;c@y.example";
    auto result = rig.send(cat(hello({"DSN"}), "C: MAIL FROM:<", instead, "> ENVID=e1\nS: 250 ok\n",
                               "C: RCPT TO:<b@x.example> ORCPT=rfc822;c@y.example\nS: 250 ok\n",
                               "C: DATA\nS: 354 x\nD:\nS: 250 ok\n", kGoodEnd),
                           mail, {kStored});
    CHECK(rig.problem == "");
    CHECK(result.final_reply);
    CHECK(rig.contents.at(0).starts_with("From: Anna <a@client.example>\r\n"));
  }
}

TEST_CASE("smtpc: what needs SMTPUTF8 and 8BITMIME is judged by what leaves") {
  ClientRig rig;
  rig.smarthost.rewrite = {.envelope_from = "me@account.example", .remove = {"X-Note"}};
  auto mail = stored_mail();
  mail.envelope.sender = "\xc3\xbc@client.example";
  auto result = rig.send(cat(hello({"8BITMIME"}), dialogue("<me@account.example>")), mail,
                         {"X-Note: \xc3\xbc\r\n", "Subject: x\r\n\r\nhello\r\n"});
  CHECK(rig.problem == "");
  CHECK(result.final_reply);
  CHECK(rig.contents == std::vector<std::string>{"Subject: x\r\n\r\nhello\r\n.\r\n"});
}

TEST_CASE("smtpc: a refused sender is named as the smarthost was told it") {
  ClientRig rig;
  rig.smarthost.rewrite = account_rules();
  auto result = rig.send(cat(hello({}), "C: MAIL FROM:<me@account.example>\nS: 553 not yours\n", kGoodEnd),
                         stored_mail(), {kStored});
  CHECK(rig.problem == "");
  REQUIRE(result.rest);
  CHECK(result.rest->failure.sender == "me@account.example");
}

TEST_CASE("smtpc: a mail whose commands travel ahead is rewritten, too") {
  ClientRig rig;
  rig.smarthost.rewrite = account_rules();
  auto first = stored_mail(), second = stored_mail();
  second.envelope.sender = "c@client.example";
  MemoryContent one({kStored}), two({"From: c@client.example\r\n\r\n"});
  const std::string envelope = "C: MAIL FROM:<me@account.example>\nC: RCPT TO:<b@x.example>\nC: DATA\n";
  const std::string replies = "S: 250 ok\nS: 250 ok\nS: 354 x\n";
  TransactionResult result;
  rig.run(cat(hello({"PIPELINING"}), envelope, replies, "D:\n", envelope, "S: 250 first\n", replies,
              "D:\nS: 250 ok\n", kGoodEnd),
          [&](Client& client) -> Task<void> {
            auto open = co_await client.open();
            CHECK(open);
            auto sent = co_await client.send({first, {0}, one, true},
                                             {{}, [&]() -> Task<std::optional<Consignment>> {
                                                co_return Consignment{second, {0}, two, true};
                                              }});
            CHECK(sent.final_reply);
            result = co_await client.send({second, {0}, two, true}, {});
            co_await client.quit();
          });
  CHECK(rig.problem == "");
  CHECK(result.final_reply);
  REQUIRE(rig.contents.size() == 2);
  CHECK(rig.contents[1] == "From: me@account.example\r\nReply-To: c@client.example\r\n\r\n.\r\n");
}

TEST_CASE("smtpc: a stored copy that is damaged is found before anything is said, or before the dot") {
  for (bool in_header : {true, false}) {
    ClientRig rig;
    rig.smarthost.rewrite = account_rules();
    auto mail = stored_mail();
    mail.envelope.body = mail::Body::seven_bit;
    MemoryContent content({in_header ? "From: a@b" : kStored});
    content.damage = mail::SourceErrorKind::damaged;
    TransactionResult result;
    const std::string opened = hello({});
    rig.run(in_header
                ? cat(opened, kGoodEnd)
                : cat(opened,
                      "C: MAIL FROM:<me@account.example>\nS: 250 ok\nC: RCPT TO:<b@x.example>\nS: 250 ok\n",
                      "C: DATA\nS: 354 x\nD:\n"),
            [&](Client& client) -> Task<void> {
              auto open = co_await client.open();
              CHECK(open);
              result = co_await client.send({mail, {0}, content, true}, {});
              if (client.is_usable()) co_await client.quit();
            });
    REQUIRE(result.rest);
    CHECK(result.rest->failure.kind == FailureKind::source_damaged);
    CHECK(result.recipients.empty());
  }
}

TEST_CASE(
    "mail: a rewriting reader gives the same after each rewind, in pieces of any size, and knows the size") {
  ManualClock clock;
  io::Loop loop(clock);
  const mail::Rewriting rules = account_rules();
  for (std::size_t size : {std::size_t{1}, std::size_t{5}, std::size_t{1000}}) {
    MemoryContent stored(pieces_of(kStored, size));
    mail::RewritingReader reader(stored, rules);
    REQUIRE(loop.run(reader.prepare()));
    CHECK(reader.size(std::string_view(kStored).size()) == std::string_view(kLeaves).size());
    CHECK(read_all(loop, reader) == kLeaves);
    REQUIRE(loop.run(reader.rewind()));
    CHECK(read_all(loop, reader) == kLeaves);
    CHECK(read_all(loop, reader) == "");
  }
}

TEST_CASE("mail: a rewriting reader takes a message without an end of the header, and shrinks others") {
  ManualClock clock;
  io::Loop loop(clock);
  const mail::Rewriting removing{.add = {{"X-A", "1"}}, .remove = {"Subject"}};
  for (const auto& [before, after] :
       {std::pair{"Subject: a long one", "X-A: 1\r\n"}, std::pair{"", "X-A: 1\r\n"},
        std::pair{"Subject: a long one\r\n\r\nx", "X-A: 1\r\n\r\nx"}}) {
    MemoryContent stored({before});
    mail::RewritingReader reader(stored, removing);
    REQUIRE(loop.run(reader.prepare()));
    CHECK(reader.size(std::string_view(before).size()) == std::string_view(after).size());
    CHECK(read_all(loop, reader) == after);
  }
}
