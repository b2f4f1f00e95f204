// SPDX-License-Identifier: MIT
#include "daemon/app/log_observer.h"

#include <doctest/doctest.h>

using namespace hikyaku;
using namespace hikyaku::app;

namespace {

struct ObserverRig {
  std::vector<std::string> lines;
  ManualClock clock;
  log::MailLog log{clock,
                   {.level = LogLevel::debug, .format = LogFormat::text, .journal = true},
                   [this](LogLevel, std::string_view line) { lines.emplace_back(line); }};
  LogObserver observer{log};
  smtpd::Client client{
      .address = Endpoint::parse("127.0.0.1:40512"), .uid = {}, .account = {}, .helo = "app", .user = ""};
};

}  // namespace

TEST_CASE("app: an accepted message is one line with everything about it") {
  ObserverRig rig;
  mail::Envelope envelope;
  envelope.sender = "a@example.com";
  envelope.recipients.resize(2);
  envelope.recipients[0].address = "b@example.com";
  envelope.recipients[1].address = "c@example.com";
  rig.observer.accepted(
      rig.client,
      {.id = mail::MailId{1}, .envelope = envelope, .size = 77, .protocol = "ESMTP", .fixed = "date,msgid"});
  REQUIRE(rig.lines.size() == 1);
  CHECK(rig.lines[0] ==
        "<6>info accepted id=0000000000001 from=<a@example.com> to=<b@example.com>,<c@example.com> "
        "recipients=2 size=77 client=127.0.0.1:40512 helo=app proto=ESMTP fixed=date,msgid");
}

TEST_CASE("app: a refusal is one line with who, what, of which mail, and the reply") {
  ObserverRig rig;
  smtpd::Reply reply(503, {5, 5, 1}, "MAIL first");
  rig.observer.rejected(rig.client, {.stage = "RCPT", .reply = reply});
  rig.client.address.reset();
  rig.client.uid = 1000;
  rig.observer.rejected(rig.client,
                        {.stage = "message", .reply = reply, .sender = "a@b.example", .size = 77});
  REQUIRE(rig.lines.size() == 2);
  CHECK(rig.lines[0].find(
            "rejected client=127.0.0.1:40512 helo=app command=RCPT reply=\"503 5.5.1 MAIL first\"") !=
        std::string::npos);
  CHECK(rig.lines[1].find("rejected client=\"unix uid=1000\" uid=1000 helo=app command=message "
                          "from=<a@b.example> size=77 reply=") != std::string::npos);
}

TEST_CASE("app: what programs do day in, day out is for debugging, what may cost mail is news") {
  using enum smtpd::Oddity;
  ObserverRig rig;
  for (auto oddity : {envelope_syntax, bare_line_end, lf_session}) rig.observer.odd(rig.client, oddity);
  for (auto oddity : {data_after_end, not_smtp, tls_hello}) rig.observer.odd(rig.client, oddity);
  REQUIRE(rig.lines.size() == 6);
  for (std::size_t i = 0; i < 6; ++i) CHECK(rig.lines[i].starts_with(i < 3 ? "<7>debug" : "<6>info"));
  CHECK(rig.lines[3].find("oddity=data-after-end") != std::string::npos);
}

TEST_CASE("app: an exception that ended a session is our mistake, and an error") {
  ObserverRig rig;
  rig.observer.broke_down("bad_alloc");
  REQUIRE(rig.lines.size() == 1);
  CHECK(rig.lines[0].starts_with("<3>error"));
}
