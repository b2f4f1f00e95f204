// SPDX-License-Identifier: MIT
#include "daemon/mail/header_rewriter.h"

#include <algorithm>

#include "daemon/base/text.h"
#include "daemon/mail/intake.h"
#include "daemon/mail/received.h"
#include "doctest/doctest.h"

using namespace hikyaku;
using namespace hikyaku::mail;

namespace {

constexpr const char* kAccount = "me@provider.example";
constexpr const char* kBody = "\r\nFrom: in the body\r\n.\r\nSender: too\r\n";

Rewriting header_rules() { return {.header_from = kAccount}; }

Rewriting keeping(KeepOriginal keep) {
  Rewriting rules = header_rules();
  rules.keep_original = keep;
  return rules;
}

Rewriting sparing(std::initializer_list<const char*> patterns) {
  Rewriting rules = keeping(KeepOriginal::none);
  for (const char* pattern : patterns) rules.unless.push_back(AddressPattern::parse(pattern).value());
  return rules;
}

// The header as it leaves. The body is checked, and that pieces of any size give the same.
std::string header_of(const std::string& header, const Rewriting& rules) {
  const std::string message = header + kBody;
  const std::string whole = rewritten(message, rules);
  HeaderSurvey survey(rules);
  for (char c : message) survey.feed({&c, 1});
  if (!survey.plan().is_empty()) {
    HeaderRewriter rewriter(survey.plan());
    std::string out;
    for (char c : message) out += rewriter.feed({&c, 1}, out);
    rewriter.finish(out);
    CHECK(out == whole);
  }
  REQUIRE(whole.ends_with(kBody));
  return whole.substr(0, whole.size() - std::string_view(kBody).size());
}

// What becomes of a From field without any other, where the original is not kept.
std::string from_of(const std::string& from) { return header_of(from, keeping(KeepOriginal::none)); }

std::size_t longest_line(std::string_view text) {
  std::size_t longest = 0;
  for (std::string_view line : split(text, '\n')) longest = std::max(longest, line.size());
  return longest;
}

}  // namespace

TEST_CASE("header rewriter: without a rule, and for what no rule is about, nothing changes") {
  const std::string odd =
      "X-Odd:no blank\r\nx-FOLDED :\t a\r\n\t\r\n b\r\nResent-From: a@b\r\nResent-Sender: a@b\r\n";
  CHECK(header_of(odd, {}) == odd);
  const std::string all = cat(odd, "From: me <me@Provider.Example>\r\nX-End: x\r\n");
  CHECK(header_of(all, header_rules()) == all);
}

TEST_CASE("header rewriter: the address in From changes, and all else in it stays byte for byte") {
  const std::pair<const char*, const char*> kCases[] = {
      {"From: anna@app.example\r\n", "From: me@provider.example\r\n"},
      {"From: root@app.example (Cron Daemon)\r\n", "From: me@provider.example (Cron Daemon)\r\n"},
      {"From: \"(Cron Daemon)\" <root@app.example>\r\n", "From: \"(Cron Daemon)\" <me@provider.example>\r\n"},
      {"from:  Anna  <anna@app.example> \r\n", "From:  Anna  <me@provider.example> \r\n"},
      {"From: =?UTF-8?B?5pel5pys6Kqe?=\r\n =?UTF-8?B?44Gu5ZCN5YmN?=\r\n\t<shop@app.example>\r\n",
       "From: =?UTF-8?B?5pel5pys6Kqe?=\r\n =?UTF-8?B?44Gu5ZCN5YmN?=\r\n\t<me@provider.example>\r\n"},
      {"From:\r\n =?ISO-2022-JP?B?GyRCRnxLXBsoQg==?= <a@b>\r\n",
       "From:\r\n =?ISO-2022-JP?B?GyRCRnxLXBsoQg==?= <me@provider.example>\r\n"},
      {"From: M\xc3\xbcller <m@x.example>\r\n", "From: M\xc3\xbcller <me@provider.example>\r\n"},
      {"From: Al <@r,@s:a@x.example>\r\n", "From: Al <me@provider.example>\r\n"},
      {"From: Al < a (here) @ x . example >\r\n", "From: Al <me@provider.example>\r\n"},
      {"From: \"B, C <d@e>\" <\"a b\"@x.example>\r\n", "From: \"B, C <d@e>\" <me@provider.example>\r\n"},
  };
  for (const auto& [before, after] : kCases) {
    CAPTURE(before);
    CHECK(from_of(before) == after);
  }
}

TEST_CASE("header rewriter: several mailboxes and groups become one mailbox with the first one's name") {
  const std::pair<const char*, const char*> kCases[] = {
      {"From: Anna <anna@x>, Bert <bert@x>\r\n", "From: Anna <me@provider.example>\r\n"},
      {"From: anna@x,\r\n bert@x\r\n", "From: me@provider.example\r\n"},
      {"From: anna@x (Anna), bert@x\r\n", "From: me@provider.example (Anna)\r\n"},
      {"From: Team:\r\n Anna <anna@x>, bert@x;\r\n", "From: Anna <me@provider.example>\r\n"},
      {"From: , ,Anna <anna@x>;;\r\n", "From: Anna <me@provider.example>\r\n"},
      {"From: undisclosed-recipients:;\r\n", "From: me@provider.example\r\n"},
      {"From: me@provider.example, anna@x\r\n", "From: me@provider.example\r\n"},
      {"From: Team: me@provider.example;\r\n", "From: me@provider.example\r\n"},
  };
  for (const auto& [before, after] : kCases) {
    CAPTURE(before);
    CHECK(from_of(before) == after);
  }
}

TEST_CASE(
    "header rewriter: a From that names nobody, or a display name that is an address, gives the address "
    "alone") {
  for (const char* before : {"From:\r\n", "From: <>\r\n", "From: Cron Daemon\r\n", "From: <anna@x\r\n",
                             "From: \"anna <anna@x>\r\n"}) {
    CAPTURE(before);
    CHECK(from_of(before) == "From: me@provider.example\r\n");
  }
  CHECK(from_of("From: anna@x <anna@x>\r\n") == "From: <me@provider.example>\r\n");
  CHECK(from_of("From: \"anna@x\" <anna@x>\r\n") == "From: \"anna@x\" <me@provider.example>\r\n");
}

TEST_CASE("header rewriter: of several From fields one is left; where there is none it is added") {
  CHECK(from_of("From: Anna <anna@x>\r\nX-A: 1\r\nFROM: bert@x\r\n") ==
        "From: Anna <me@provider.example>\r\nX-A: 1\r\n");
  CHECK(from_of("From: me@provider.example\r\nFrom: me@provider.example\r\n") ==
        "From: me@provider.example\r\n");
  CHECK(from_of("X-A: 1\r\n") == "X-A: 1\r\nFrom: me@provider.example\r\n");
}

TEST_CASE(
    "header rewriter: what stood in From goes to Reply-To unless there is one, or to X-Original-From, or "
    "nowhere") {
  const std::string from = "From: =?UTF-8?Q?A?=\r\n <anna@x>\r\n";
  const std::string after = "From: =?UTF-8?Q?A?=\r\n <me@provider.example>\r\nX-A: 1\r\n";
  const std::string before = from + "X-A: 1\r\n";
  CHECK(header_of(before, header_rules()) == after + "Reply-To: =?UTF-8?Q?A?=\r\n <anna@x>\r\n");
  CHECK(header_of(before, keeping(KeepOriginal::x_original_from)) ==
        after + "X-Original-From: =?UTF-8?Q?A?=\r\n <anna@x>\r\n");
  CHECK(header_of(before, keeping(KeepOriginal::none)) == after);
  CHECK(header_of(before + "reply-to: b@x\r\n", header_rules()) == after + "reply-to: b@x\r\n");
  Rewriting rules = header_rules();
  rules.remove = {"Reply-To"};
  CHECK(header_of(before + "Reply-To: b@x\r\n", rules) == after + "Reply-To: =?UTF-8?Q?A?=\r\n <anna@x>\r\n");
}

TEST_CASE("header rewriter: Reply-To gets no more than can be answered") {
  const std::string after = "From: Anna <me@provider.example>\r\n";
  CHECK(header_of("From: Anna <anna@x>, Bert <bert@x>\r\n", header_rules()) ==
        after + "Reply-To: Anna <anna@x>, Bert <bert@x>\r\n");
  CHECK(header_of("From: Anna <anna@x>, Bert, carl, d..@x\r\n", header_rules()) ==
        after + "Reply-To: anna@x,\r\n \"d..\"@x\r\n");
  CHECK(header_of("From: Anna <anna>\r\n", header_rules()) == after);
  CHECK(header_of("From: Anna\r\n", header_rules()) == "From: me@provider.example\r\n");
  CHECK(header_of("From: Anna!\r\n", keeping(KeepOriginal::x_original_from)) ==
        "From: me@provider.example\r\nX-Original-From: Anna!\r\n");
  CHECK(header_of("From: \r\n", keeping(KeepOriginal::x_original_from)) == "From: me@provider.example\r\n");
}

TEST_CASE("header rewriter: Sender goes where From is the account's") {
  const std::string after = "From: me@provider.example\r\n";
  CHECK(from_of("Sender: bert@x\r\nFrom: anna@x\r\nSENDER: carl@x\r\n") == after);
  CHECK(from_of("From: me@provider.example\r\nSender: bert@x\r\n") == after);
  CHECK(from_of("From: me@provider.example\r\nSender: me@provider.example\r\n") == after);
  CHECK(from_of("Sender: bert@x\r\n") == after);
}

TEST_CASE("header rewriter: From stays where all its senders are to stay; Sender is judged by itself") {
  const Rewriting rules = sparing({"*@shop.example", "boss@x.example"});
  for (const char* stays : {"From: Anna <anna@Shop.Example>\r\n", "From: a@shop.example, boss@x.example\r\n",
                            "From: a@shop.example\r\nSender: b@shop.example\r\n",
                            "From: a@shop.example\r\nFrom: b@shop.example\r\n"}) {
    CAPTURE(stays);
    CHECK(header_of(stays, rules) == stays);
  }
  CHECK(header_of("From: a@shop.example, b@x.example\r\n", rules) == "From: me@provider.example\r\n");
  CHECK(header_of("From: a@shop.example\r\nFrom: b@x.example\r\n", rules) == "From: me@provider.example\r\n");
  CHECK(header_of("From: a@sub.shop.example\r\n", rules) == "From: me@provider.example\r\n");
  CHECK(header_of("From: a@shop.example\r\nSender: Bert <b@x.example>\r\nSender: c@x.example\r\n", rules) ==
        "From: a@shop.example\r\nSender: Bert <me@provider.example>\r\n");
  const std::string right = "From: a@shop.example\r\nSender: me@provider.example\r\n";
  CHECK(header_of(right, rules) == right);
  CHECK(header_of("From: me@provider.example\r\nSender: b@x.example\r\n", sparing({kAccount})) ==
        "From: me@provider.example\r\n");
}

TEST_CASE("header rewriter: Resent- fields stay") {
  const std::string resent = "Resent-From: anna@x\r\nResent-Sender: bert@x\r\nResent-Reply-To: carl@x\r\n";
  CHECK(from_of(resent + "From: me@provider.example\r\n") == resent + "From: me@provider.example\r\n");
}

TEST_CASE("header rewriter: fields are removed by their name, then others added at the end of the header") {
  Rewriting rules;
  rules.remove = {"x-tag", "Sender"};
  rules.add = {{"X-Tag", "shop"}, {"X-SES-CONFIGURATION-SET", "main"}};
  CHECK(header_of("X-TAG: a\r\n\tb\r\nA: 1\r\nX-Tag : c\r\nSender: a@b\r\nX-Tagged: d\r\n", rules) ==
        "A: 1\r\nX-Tagged: d\r\nX-Tag: shop\r\nX-SES-CONFIGURATION-SET: main\r\n");
}

TEST_CASE("header rewriter: our own Received loses the client; others stay, also where ours has none below") {
  ReceivedFacts facts{.helo = "app.inner.example",
                      .client = IpAddress::parse("192.0.2.7"),
                      .uid = {},
                      .account = {},
                      .hostname = "host.example",
                      .id = "000",
                      .traits = {.esmtp = true},
                      .only_recipient = "you@x.example",
                      .now = {}};
  const std::string other = "Received: from b (b [192.0.2.8])\r\n\tby c (hikyaku) with SMTP id 1; date\r\n";
  const std::string ours = received_field(facts);
  facts.client = {};
  const std::string hidden = received_field(facts);
  REQUIRE(hidden.starts_with("Received: from localhost\r\n\tby host.example (hikyaku) with"));
  Rewriting rules;
  rules.is_received_private = true;
  CHECK(header_of(ours + other, rules) == hidden + other);
  CHECK(header_of("X-A: 1\r\n" + ours, rules) == "X-A: 1\r\n" + ours);
  CHECK(header_of("Received: from a ([192.0.2.9]) by c; date\r\n" + ours, rules) ==
        "Received: from a ([192.0.2.9]) by c; date\r\n" + ours);
  const std::string endless =
      cat("Received: from a\r\n\tby b (hikyaku) with SMTP\r\n\t", std::string(10'000, 'x'), "\r\n");
  CHECK(header_of(endless, rules) == endless);
}

TEST_CASE("header rewriter: what is added stays in the header whatever the message looks like") {
  const Rewriting rules = header_rules();
  CHECK(rewritten("", rules) == "From: me@provider.example\r\n");
  CHECK(rewritten("\r\n", rules) == "From: me@provider.example\r\n\r\n");
  CHECK(rewritten(" looks continued\r\n", rules) == "From: me@provider.example\r\n\r\n looks continued\r\n");
  CHECK(rewritten("no colon\r\n", rules) == "From: me@provider.example\r\n\r\nno colon\r\n");
  CHECK(rewritten("X-A: 1", rules) == "X-A: 1\r\nFrom: me@provider.example\r\n");
  CHECK(rewritten("X-A: 1\r\nX-B", rules) == "X-A: 1\r\nFrom: me@provider.example\r\n\r\nX-B");
  CHECK(rewritten("From: anna", rules) == "From: me@provider.example\r\n");
  const std::string name(2000, 'n');
  CHECK(rewritten(name + ": 1\r\n", rules) == cat("From: me@provider.example\r\n\r\n", name, ": 1\r\n"));
}

TEST_CASE("header rewriter: a second time it changes nothing") {
  for (const char* from :
       {"From: Anna <anna@x>, b@x\r\nSender: c@x\r\n", "From: x\r\n", "From: a@b <c@d>\r\n", "X: 1\r\n"}) {
    for (KeepOriginal keep : {KeepOriginal::reply_to, KeepOriginal::x_original_from, KeepOriginal::none}) {
      const std::string once = header_of(from, keeping(keep));
      CHECK(header_of(once, keeping(keep)) == once);
    }
  }
}

TEST_CASE("header rewriter: no line becomes too long") {
  const std::string name(980, 'n'), comment(985, 'c');
  for (const std::string& from :
       {cat("From: ", name, " <a@b>\r\n"), cat("From: a@b (", comment, ")\r\n"),
        cat("From: ", name, "\r\n ", name, " <a@b> (", "x)\r\n"), cat("From: ", name, "@b\r\n"),
        cat("From:\r\n ", name, " <a@b>,\r\n c@d\r\n")}) {
    for (KeepOriginal keep : {KeepOriginal::reply_to, KeepOriginal::x_original_from}) {
      const std::string header = header_of(from, keeping(keep));
      CHECK(longest_line(header) <= 999);
      CHECK(header.find("\n \r") == header.npos);
    }
  }
}

TEST_CASE("header rewriter: a From that is too long, or there too often, gives the address alone") {
  std::string endless = "From: a@b";
  while (endless.size() <= kLongestAddressField) endless += ",\r\n a@b";
  CHECK(header_of(endless + "\r\nX-A: 1\r\n", header_rules()) == "From: me@provider.example\r\nX-A: 1\r\n");
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "From: Anna <a@shop.example>\r\n";
  CHECK(header_of(many, sparing({"*@shop.example"})) == "From: Anna <me@provider.example>\r\n");
}
