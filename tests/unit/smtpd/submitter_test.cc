// SPDX-License-Identifier: MIT
#include "smtpd/submitter.h"

#include <doctest/doctest.h>

#include <map>

#include "daemon/base/text.h"
#include "tests/support/peers/smtpd_rig.h"

using namespace hikyaku;
using namespace hikyaku::smtpd;

namespace {

constexpr OwnDomains kDomains{"example.com", "app1.example.com"};

struct Case {
  const char* wished;
  const char* sender;
};

// A user database that answers at once, or never.
class KnownSubmitters final : public Submitters {
 public:
  explicit KnownSubmitters(io::Loop& loop) : loop_(loop) {}
  std::map<std::uint32_t, Submitter> known;

  Task<std::optional<Submitter>> find(std::uint32_t uid, io::Until until) override {
    auto found = known.find(uid);
    if (found != known.end()) co_return found->second;
    co_await io::sleep_until(loop_, until);
    co_return std::nullopt;
  }

 private:
  io::Loop& loop_;
};

struct Rig : test::SmtpdRig {
  KnownSubmitters submitters{loop};
  Rig() {
    wire = {.first_address = {}, .second_address = {}, .uid = 1000};
    options.submitters = &submitters;
  }
  std::string submit(std::string_view sender) {
    return burst(cat("EHLO x\r\nMAIL FROM:<", sender, ">\r\nRCPT TO:<b@y.test>\r\nDATA\r\n",
                     "From: a@x.test\r\n\r\nhi\r\n.\r\nQUIT\r\n"));
  }
};

}  // namespace

TEST_CASE("smtpd: who may choose a sender keeps it, whatever it is") {
  for (const char* wished : {"", "www-data@example.com", "someone@elsewhere.example"})
    CHECK(sender_of(33, {.name = "www-data", .may_choose_sender = true}, wished, kDomains) == wished);
}

TEST_CASE("smtpd: who may not sends from its own address, which stays as it was written") {
  const Case cases[] = {
      {"", ""},
      {"someone@elsewhere.example", "www-data@example.com"},
      {"root@example.com", "www-data@example.com"},
      {"www-data@example.com", "www-data@example.com"},
      {"WWW-Data@App1.Example.COM", "WWW-Data@App1.Example.COM"},
      {"www-data@elsewhere.example", "www-data@example.com"},
      {"www-data+tag@example.com", "www-data@example.com"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.wished);
    CHECK(sender_of(33, {.name = "www-data", .may_choose_sender = false}, one.wished, kDomains) ==
          one.sender);
  }
}

TEST_CASE("smtpd: a user whose name makes no address has one of its uid") {
  for (const char* name : {"", "a b", "a@b", "a>b", "a\r\nb", "\xc3\xbc", "a,b"}) {
    CAPTURE(name);
    CHECK(own_address(1000, {.name = name, .may_choose_sender = false}, "example.com") ==
          "uid1000@example.com");
  }
  CHECK(own_address(7, {.name = "some.one_x-1$", .may_choose_sender = false}, "example.com") ==
        "some.one_x-1$@example.com");
}

TEST_CASE("smtpd: a local user's name stands in Received, and the sender stays where it may") {
  Rig rig;
  rig.submitters.known[1000] = {.name = "www-data", .may_choose_sender = true};
  std::string replies = rig.submit("shop@x.test");
  CHECK(replies.find("250 2.1.0 Sender ok") != replies.npos);
  REQUIRE(rig.sink.mails().size() == 1);
  CHECK(rig.sink.mails()[0].envelope.sender == "shop@x.test");
  CHECK(rig.sink.mails()[0].content.starts_with("Received: from localhost (from userid 1000, www-data)\r\n"));
}

TEST_CASE("smtpd: a sender that is not its own is replaced, and the client is told") {
  Rig rig;
  rig.submitters.known[1000] = {.name = "www-data", .may_choose_sender = false};
  std::string replies = rig.submit("ceo@x.test");
  CHECK(replies.find("250 2.1.0 Ok, but from your own address (see `submit`)") != replies.npos);
  REQUIRE(rig.sink.mails().size() == 1);
  CHECK(rig.sink.mails()[0].envelope.sender == "www-data@test");
  CHECK(rig.sink.mails()[0].envelope.uid == 1000);
}

TEST_CASE("smtpd: where it matters who a user is and nobody says so in time, the client is to come again") {
  Rig rig;
  std::string replies = rig.submit("a@x.test");
  CHECK(replies.find("451 4.3.0 The user database does not say who you are") != replies.npos);
  CHECK(rig.sink.mails().empty());
  CHECK(rig.observer.saw("rejected MAIL 451 4.3.0"));
}

TEST_CASE("smtpd: over TCP nobody is looked up") {
  Rig rig;
  rig.wire = {.first_address = Endpoint::parse("127.0.0.1:25"),
              .second_address = Endpoint::parse("127.0.0.1:40000"),
              .uid = {}};
  std::string replies = rig.submit("a@x.test");
  CHECK(replies.find("250 2.1.0 Sender ok") != replies.npos);
  CHECK(rig.sink.mails().size() == 1);
}
