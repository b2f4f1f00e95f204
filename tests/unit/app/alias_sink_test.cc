// SPDX-License-Identifier: MIT
#include "daemon/app/alias_sink.h"

#include <doctest/doctest.h>

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
  AliasSink sink{spool, log};

  SinkRig() {
    sink.configure("example.com", "app1.example.com");
    sink.set_aliases(mail::parse_aliases("root: a@b, c@d").aliases);
  }

  Result<void, mail::SinkError> accept(std::unique_ptr<mail::MailWriter> writer,
                                       std::vector<std::string> to) {
    mail::Envelope envelope;
    envelope.sender = "me@example.com";
    envelope.envid = "x";
    for (std::string& address : to) envelope.recipients.push_back({std::move(address), {}, {}});
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
  rig.sink.configure("example.net", "app2.example.com");
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
