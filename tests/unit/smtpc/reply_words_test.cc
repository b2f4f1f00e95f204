// SPDX-License-Identifier: MIT
#include "smtpc/reply_words.h"

#include <array>

#include "tests/unit/smtpc/verdict_cases.h"

using namespace hikyaku;
using namespace hikyaku::smtpc;

namespace {

bool says_nothing(const ReplyWords& says) {
  return !says.authentication && !says.relaying && !says.sender && !says.tls && !says.limit && !says.rate &&
         !says.account && !says.machine && !says.protocol && !says.connections;
}

}  // namespace

TEST_CASE("reply words: what a server quotes is not its own word") {
  struct {
    const char* reply;
    const char* own;
  } const rows[] = {
      {"550 5.1.1 <\"your ip \"@x.test> unknown", " 5.1.1 _ unknown "},
      {"550 5.1.1 <\"a>b your ip\"@x.test>: unknown", " 5.1.1 _ : unknown "},
      {"550 \"Your account is blocked\" is spam", " _ is spam "},
      {"550 rejected subject \"a \\\" your ip\" here", " rejected subject _ here "},
      {"550 a quotation \"that never ends: your ip", " a quotation _ "},
      {"550 subject 'Your account is blocked' rejected", " subject _ rejected "},
      {"550 the domain's owner isn't known", " the domain's owner isn't known "},
      {"550 users' mail and the owners' own", " users' mail and the owners' own "},
      {"550 anna@your.ip is gone", " _ is gone "},
      {"550 throttled.example.net: Host not found", " _ host not found "},
      {"550 (sending-limit.example) [your.ip.example]:25 no", " _ _ no "},
      {"550 see https://example.com/your-account-is-blocked now", " see _ now "},
      {"550 mx.example said: 550 Client host [192.0.2.1] blocked", " _ _ "},
      {"550 less < than and > more", " less _ more "},
      {"550 Client host [192.0.2.1] blocked.", " client host 192.0.2.1] blocked. "},
      {"553 not in my list of allowed rcpthosts (#5.7.1)", " not in my list of allowed rcpthosts #5.7.1) "},
      {"550-Your\r\n550 IP is bad", " your ip is bad "},
      {"550 your <x@y> ip", " your _ ip "},
      {"550 a <b", " a <b "},
  };
  for (const auto& row : rows) {
    CAPTURE(row.reply);
    CHECK(own_words(reply(row.reply)) == row.own);
  }
}

TEST_CASE("reply words: no single word, name or quotation speaks of anything") {
  for (const char* text :
       {"550 5.1.1 <\"your ip \"@x.test>: Recipient address rejected",
        "550 throttled.example.net: Host not found", "550 relay.example.net: Host not found",
        "550 no such user: sender", "550 Subject \"your account is blocked\"",
        "550 rejected: 'sending quota exceeded'", "550 auth", "550 the author is unknown", "550 tls",
        "550 interlocked relay", "550 5.1.2 sending.limit.example unknown",
        "550 mx.example.net said: 554 5.7.1 Client host [192.0.2.1] blocked using zen.example",
        "550 callback to mx.example.net was: 550 Invalid HELO name", "550 throttled", "550 concurrent",
        "550 unsynchronized", "550 http://your.ip/reverse%20dns", "550 rejected as spam"}) {
    CAPTURE(text);
    CHECK(says_nothing(words_of(reply(text))));
  }
}

TEST_CASE("reply words: phrases are found over lines, in any case, from the beginning of a word") {
  CHECK(words_of(reply("550-Your account\r\n550 HAS been suspended")).account);
  CHECK(words_of(reply("554 (Sending quota exceeded)")).limit);
  CHECK_FALSE(words_of(reply("554 into relay")).relaying);
  CHECK(words_of(reply("554 unable to relay")).relaying);
  CHECK_FALSE(words_of(reply("250 sending quota exceeded")).limit);
  CHECK_FALSE(words_of(reply("552 exceeded your maximum message size")).limit);
  CHECK(words_of(reply("454 Throttling failure: Maximum sending rate exceeded.")).rate);
  CHECK_FALSE(words_of(reply("454 Throttling failure: Daily message quota exceeded.")).connections);
}

TEST_CASE("reply words: a reply of nothing but opened quotations takes no long time") {
  for (const char* piece : {"<", "'a ", "<\"", "\"", "<'\""}) {
    mail::Reply flood{550, {""}, {}};
    while (flood.lines[0].size() < 64 * 1024) flood.lines[0] += piece;
    CHECK(own_words(flood).size() <= 4 * flood.lines[0].size());
  }
}
