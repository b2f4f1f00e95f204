// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <memory>

#include "daemon/base/text.h"
#include "smtpd/policy.h"
#include "tests/support/peers/smtpd_rig.h"

using namespace hikyaku;
using namespace hikyaku::smtpd;

namespace {

mail::AddressPatterns patterns_of(std::initializer_list<std::string_view> texts) {
  mail::AddressPatterns patterns;
  for (std::string_view text : texts) {
    auto pattern = mail::AddressPattern::parse(text);
    REQUIRE_MESSAGE(pattern, std::string(text));
    patterns.push_back(*pattern);
  }
  return patterns;
}

struct SendersRig : test::SmtpdRig {
  SendersRig() {
    options.senders = patterns_of({"*@example.com", "*@*.example.com", "app@example.net"});
    options.domain = "example.com";
  }
  std::string answer_to(std::string_view mail) {
    const std::string replies = burst(cat("EHLO x\r\n", mail, "\r\nQUIT\r\n"));
    const std::size_t end = replies.find("\r\n221 ");
    const std::size_t begin = replies.rfind("\r\n", end - 1);
    return replies.substr(begin + 2, end - begin - 2);
  }
  std::string submit(std::string_view sender, std::string_view header) {
    return burst(cat("EHLO x\r\nMAIL FROM:<", sender, ">\r\nRCPT TO:<b@y.test>\r\nDATA\r\n", header,
                     "\r\nhi\r\n.\r\nQUIT\r\n"));
  }
};

constexpr std::string_view kRefusal =
    "550 5.7.1 This sender may not send here, only *@example.com, *@*.example.com, app@example.net (see "
    "`senders` in "
    "hikyaku.yaml)";

// An alias's owner, for whom the user database answers at once.
class OneSubmitter final : public Submitters {
 public:
  Task<std::optional<Submitter>> find(std::uint32_t, io::Until) override {
    co_return Submitter{.name = "www-data", .may_choose_sender = false};
  }
};

}  // namespace

TEST_CASE("senders: who is among them may send, and <> always") {
  for (std::string_view mail :
       {"MAIL FROM:<anna@example.com>", "MAIL FROM:<anna@EXAMPLE.COM> SIZE=5",
        "MAIL FROM: anna@a.b.example.com", "MAIL FROM:<App@example.net>", "MAIL FROM:<>", "MAIL FROM:<root>",
        "MAIL FROM:<@relay.test:anna@example.com>", "MAIL FROM:<\"anna@evil.test\"@example.com>"}) {
    SendersRig rig;
    CHECK_MESSAGE(rig.answer_to(mail).starts_with("250 2.1.0 "), std::string(mail));
  }
}

TEST_CASE("senders: anybody else hears 550 and who may, in every notation, and the log has it") {
  for (std::string_view mail :
       {"MAIL FROM:<anna@evil.test>", "MAIL FROM:<\"anna@example.com\"@evil.test>",
        "MAIL FROM:<anna%example.com@evil.test>", "MAIL FROM:<example.com!anna@evil.test>",
        "MAIL FROM:<@example.com:anna@evil.test>", "MAIL FROM:<anna@example.com.evil.test>",
        "MAIL FROM:<anna@evilexample.com>", "MAIL FROM:<other@example.net>",
        "MAIL FROM:<anna@xn--exmple-cua.com>", "MAIL FROM:<anna@ex\xc3\xa0mple.com> SMTPUTF8",
        "MAIL FROM:<anna@evil.test> AUTH=<anna@example.com>"}) {
    SendersRig rig;
    CHECK_MESSAGE(rig.answer_to(mail) == kRefusal, std::string(mail));
    CHECK(rig.observer.saw("rejected MAIL 550 5.7.1"));
  }
  for (std::string_view mail :
       {"MAIL FROM:<anna@example.com.>", "MAIL FROM:<anna@evil.test@example.com>",
        "MAIL FROM:<anna@evil.test,b@example.com>", "MAIL FROM:<anna@evil.test>,<b@example.com>"}) {
    SendersRig rig;
    CHECK_MESSAGE(rig.answer_to(mail).starts_with("501 5.1.7 "), std::string(mail));
  }
}

TEST_CASE("senders: after the refusal no transaction is open, and another sender may follow") {
  SendersRig rig;
  const std::string replies = rig.burst(
      "EHLO x\r\nMAIL FROM:<a@evil.test>\r\nRCPT TO:<b@y.test>\r\nMAIL FROM:<a@example.com>\r\nRCPT "
      "TO:<b@y.test>\r\n"
      "DATA\r\nFrom: x@evil.test\r\n\r\n.\r\nQUIT\r\n");
  CHECK(replies.find("503 5.5.1 Send MAIL first") != replies.npos);
  REQUIRE(rig.sink.mails().size() == 1);
  CHECK(rig.sink.mails()[0].envelope.sender == "a@example.com");
}

TEST_CASE("senders: it is the sender that a message gets that counts: a rewritten or masqueraded one") {
  SendersRig rig;
  OneSubmitter submitters;
  rig.wire = {.first_address = {}, .second_address = {}, .uid = 33};
  rig.options.submitters = &submitters;
  CHECK(rig.answer_to("MAIL FROM:<ceo@evil.test>") ==
        "250 2.1.0 Ok, but from your own address (see `submit`)");
  SendersRig other;
  other.options.senders = patterns_of({"*@example.com"});
  other.options.masquerade = {.hosts = {"web1.lan"}, .domain = "example.com"};
  CHECK(other.answer_to("MAIL FROM:<anna@web1.lan>") == "250 2.1.0 Sender ok");
}

TEST_CASE("senders: the reply names as many as a line has room for, in ASCII") {
  std::string name = cat("b\xc3\xbc", std::string(40, 'x'), ".example");
  mail::AddressPatterns many;
  for (int i = 0; i < 30; ++i) many.push_back(patterns_of({cat("*@", std::to_string(i), name)}).front());
  const Reply reply = *refusal_of_sender(many, "a@evil.test");
  CHECK(to_wire(reply).size() <= 512);
  CHECK(is_ascii(to_wire(reply)));
  CHECK(reply.lines.front().starts_with("This sender may not send here, only *@0b\\x{FC}xxx"));
  CHECK(reply.lines.front().find(" more (see") != std::string::npos);
  CHECK_FALSE(refusal_of_sender(many, ""));
}

TEST_CASE("masquerade: the envelope's sender and the header's get the domain, and recipients stay") {
  SendersRig rig;
  rig.options.masquerade = {.hosts = {"web1.lan"}, .domain = "example.com"};
  rig.submit(
      "www-data@web1.lan",
      "From: =?UTF-8?B?5p2x?= <www-data@web1.lan>\r\nTo: root@web1.lan\r\nMessage-ID: <1@web1.lan>\r\n");
  REQUIRE(rig.sink.mails().size() == 1);
  CHECK(rig.sink.mails()[0].envelope.sender == "www-data@example.com");
  const std::string& content = rig.sink.mails()[0].content;
  CHECK(content.find("From: =?UTF-8?B?5p2x?= <www-data@example.com>\r\nTo: root@web1.lan\r\nMessage-ID: "
                     "<1@web1.lan>\r\n") != content.npos);
}
