// SPDX-License-Identifier: MIT
#include "daemon/app/alias_sink.h"

#include <doctest/doctest.h>

#include <set>

#include "daemon/mail/alias_file.h"
#include "tests/support/memory_sink.h"

using namespace hikyaku;
using namespace hikyaku::test;
using namespace hikyaku::app;

namespace {

struct SinkRig {
  ManualClock clock;
  io::Loop loop{clock};
  test::MemorySink spool{loop};
  std::vector<std::string> lines;
  log::MailLog log{clock,
                   {.level = LogLevel::info, .format = LogFormat::text, .journal = true},
                   [this](LogLevel, std::string_view line) { lines.emplace_back(line); }};
  std::set<std::string> existing{"anna", "www-data"};
  bool is_broken = false;
  io::Nursery nursery{loop};
  LocalUsers users{loop, nursery, [this](const std::string& name) {
                     return is_broken ? std::nullopt : std::optional(existing.contains(name));
                   }};
  AliasSink sink{loop, spool, log, users};

  SinkRig() {
    sink.configure({.domain = "example.com", .hostname = "app1.example.com"});
    sink.set_aliases(mail::parse_aliases("root: a@b, c@d").aliases);
  }

  std::string sender = "me@example.com";

  // A recipient without a domain is given one, as a session does it.
  Result<void, mail::SinkError> accept(std::unique_ptr<mail::MailWriter> writer,
                                       std::vector<std::string> to) {
    mail::Envelope envelope;
    envelope.sender = sender;
    envelope.envid = "x";
    for (std::string& address : to) {
      const bool is_bare = !address.contains('@');
      envelope.recipients.push_back({.address = is_bare ? address + "@example.com" : address,
                                     .notify = {.success = true},
                                     .orcpt = {},
                                     .is_bare = is_bare});
    }
    return loop.run(writing(std::move(writer), std::move(envelope)));
  }
  Result<void, mail::SinkError> accept(std::vector<std::string> to) {
    return accept(std::move(*sink.begin()), std::move(to));
  }
  std::string stored_recipients() const {
    std::string text;
    for (const auto& recipient : spool.mails().back().envelope.recipients) text += recipient.address + " ";
    return text;
  }

 private:
  static Task<Result<void, mail::SinkError>> writing(std::unique_ptr<mail::MailWriter> writer,
                                                     mail::Envelope envelope) {
    auto written = co_await writer->write("Subject: x\r\n\r\n");
    if (!written) co_return written;
    auto committed = co_await writer->commit(std::move(envelope));
    co_return committed;
  }
};

}  // namespace

TEST_CASE("app: aliases are applied on the way into the spool, and a line tells") {
  SinkRig rig;
  REQUIRE(rig.accept({"x@y", "root@localhost"}));
  CHECK(rig.stored_recipients() == "x@y a@b c@d ");
  CHECK(rig.spool.mails()[0].envelope.sender == "me@example.com");
  CHECK(rig.spool.mails()[0].envelope.envid == "x");
  CHECK(rig.spool.mails()[0].content == "Subject: x\r\n\r\n");
  CHECK(rig.lines == std::vector<std::string>{"<6>info expanded id=0000000000001 aliases=<root@localhost> "
                                              "to=<x@y>,<a@b>,<c@d> recipients=3"});
}

TEST_CASE("app: mail that no alias is meant for passes as it is, and without a line") {
  SinkRig rig;
  REQUIRE(rig.accept({"root@example.org", "x@y", "x@y"}));
  CHECK(rig.stored_recipients() == "root@example.org x@y x@y ");
  CHECK(rig.lines.empty());
}

TEST_CASE("app: the rules that hold when a message is complete are the ones that count") {
  SinkRig rig;
  auto writer = rig.sink.begin();
  REQUIRE(writer);
  CHECK((*writer)->id() == mail::MailId{1});
  rig.sink.set_aliases(mail::parse_aliases("root: new@b\ncron: root").aliases);
  rig.sink.configure({.domain = "example.net", .hostname = "app2.example.com"});
  CHECK(rig.sink.size() == 2);
  REQUIRE(rig.accept(std::move(*writer), {"cron@example.net", "root@example.com"}));
  CHECK(rig.stored_recipients() == "new@b root@example.com ");
}

TEST_CASE("app: what the spool cannot take the client hears through aliases too, and no line tells of it") {
  SinkRig rig;
  using Kind = mail::SinkErrorKind;
  CHECK(rig.sink.may_accept(77));
  CHECK(rig.spool.expected_size() == 77);
  rig.spool.failures.may_accept = Kind::no_space;
  CHECK(rig.sink.may_accept(1).error().kind == Kind::no_space);
  rig.spool.failures.commit = Kind::write_failed;
  CHECK(rig.accept({"root@localhost"}).error().kind == Kind::write_failed);
  rig.spool.failures.write = Kind::shutting_down;
  CHECK(rig.accept({"root@localhost"}).error().kind == Kind::shutting_down);
  rig.spool.failures.begin = Kind::no_space;
  CHECK(rig.sink.begin().error().kind == Kind::no_space);
  CHECK(rig.lines.empty());
}

TEST_CASE("app: mail to users of this machine goes to local_mail, and a line tells") {
  SinkRig rig;
  rig.sink.configure(
      {.domain = "example.com", .hostname = "app1.example.com", .local_mail = "ops@example.net"});
  REQUIRE(rig.accept({"anna", "nobody", "root", "www-data@localhost", "anna@example.com"}));
  CHECK(rig.stored_recipients() == "ops@example.net nobody@example.com a@b c@d anna@example.com ");
  CHECK(rig.lines ==
        std::vector<std::string>{"<6>info expanded id=0000000000001 "
                                 "aliases=<anna@example.com>,<root@example.com>,<www-data@localhost> "
                                 "to=<ops@example.net>,<nobody@example.com>,<a@b>,<c@d>,<anna@example.com> "
                                 "recipients=5"});
  rig.sender.clear();
  REQUIRE(rig.accept(std::move(*rig.sink.begin_notice({})), {"www-data@app1.example.com"}));
  CHECK(rig.stored_recipients() == "ops@example.net ");
}

TEST_CASE("app: a user database that does not answer stops only mail that depends on it, and for now") {
  SinkRig rig;
  rig.sink.configure(
      {.domain = "example.com", .hostname = "app1.example.com", .local_mail = "ops@example.net"});
  rig.is_broken = true;
  CHECK(rig.accept({"x@y", "anna"}).error().kind == mail::SinkErrorKind::no_answer);
  CHECK(rig.accept({"x@y", "anna@example.com"}));
  rig.is_broken = false;
  CHECK(rig.accept({"anna"}));
  rig.is_broken = true;
  rig.clock.advance(2min);
  CHECK(rig.accept({"anna"}));  // the answer is old, but better than none
  CHECK(rig.accept({"www-data"}).error().kind == mail::SinkErrorKind::no_answer);
  CHECK(rig.spool.mails().size() == 3);
}

TEST_CASE("app: a copy of every message goes to copy_to, and no notice of it to anybody") {
  SinkRig rig;
  rig.sink.configure(
      {.domain = "example.com", .hostname = "app1.example.com", .copy_to = "archive@example.net"});
  REQUIRE(rig.accept({"x@y"}));
  CHECK(rig.stored_recipients() == "x@y archive@example.net ");
  const auto& recipients = rig.spool.mails().back().envelope.recipients;
  CHECK(recipients[1].notify == mail::Notify{.never = true});
  CHECK(recipients[1].orcpt.empty());
  CHECK(recipients[0].notify == mail::Notify{.success = true});
  CHECK(rig.lines.empty());
  CHECK(rig.spool.mails().back().content == "Subject: x\r\n\r\n");
}

TEST_CASE("app: nobody gets two copies, and neither mail from <> nor a notice is copied") {
  SinkRig rig;
  rig.sink.configure({.domain = "example.com", .hostname = "app1.example.com", .copy_to = "c@D"});
  REQUIRE(rig.accept({"c@d", "x@y"}));
  CHECK(rig.stored_recipients() == "c@d x@y ");
  REQUIRE(rig.accept({"root"}));
  CHECK(rig.stored_recipients() == "a@b c@d ");
  REQUIRE(rig.accept(std::move(*rig.sink.begin_notice({})), {"x@y"}));
  CHECK(rig.stored_recipients() == "x@y ");
  rig.sender.clear();
  REQUIRE(rig.accept({"x@y"}));
  CHECK(rig.stored_recipients() == "x@y ");
}

TEST_CASE("app: what another hikyaku hands over keeps its recipients and its times, and no copy is made") {
  SinkRig rig;
  rig.sink.configure({.domain = "example.com",
                      .hostname = "app1.example.com",
                      .local_mail = "ops@example.net",
                      .copy_to = "archive@example.net"});
  const mail::Handover handover{.arrival = WallTime(5s), .waited = 6s, .attempts = 7};
  auto writer = rig.sink.begin_handed_over(handover);
  REQUIRE(writer);
  REQUIRE(rig.accept(std::move(*writer), {"root@example.com", "anna@example.com"}));
  CHECK(rig.stored_recipients() == "root@example.com anna@example.com ");
  CHECK(rig.spool.mails().back().handover == handover);
  CHECK(rig.lines.empty());
}
