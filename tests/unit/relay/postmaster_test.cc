// SPDX-License-Identifier: MIT
// The postmaster's copy of bounces, and the reports of what has no sender.
#include <doctest/doctest.h>

#include "tests/unit/relay/relay_rig.h"

using namespace hikyaku;
using namespace hikyaku::relay;
using namespace hikyaku::test;

namespace {

constexpr const char* kPostmaster = "pm@example.com";

// Stores no notices any more once `room` of them are stored.
class NarrowSink final : public mail::MailSink {
 public:
  explicit NarrowSink(spool::Spool& spool) : spool_(spool) {}
  int room = 1'000'000;
  Result<void, mail::SinkError> may_accept(std::uint64_t size) override { return spool_.may_accept(size); }
  Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> begin() override { return spool_.begin(); }
  Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> begin_notice(mail::MailId about) override {
    if (room-- <= 0) return fail(mail::SinkErrorKind::no_space, "the disk is full");
    return spool_.begin_notice(about);
  }

 private:
  spool::Spool& spool_;
};

// Refuses every recipient whose name begins with "no", for good, and "later", for now, while `is_busy`.
struct PostmasterRig : RelayRig {
  NarrowSink narrow{*spool};
  bool is_busy = true;

  PostmasterRig() {
    sink = &narrow;
    settings.queue.postmaster = kPostmaster;
    settings.queue.bounce_return = config::BounceReturn::full;
    start_relay();
    send();
    pass();  // the smarthost is proven
    main().mails.clear();
    main().answer = [this](const std::string& command) {
      if (command.starts_with("RCPT TO:<no")) return "550 5.1.1 no such user";
      return is_busy && command.starts_with("RCPT TO:<later") ? "450 4.2.1 busy" : "";
    };
  }
  void refuse_postmaster() {
    main().answer = [](const std::string& command) {
      return command.starts_with("RCPT TO:<") ? "550 5.1.1 no such user" : "";
    };
  }
  mail::MailId send_with(mail::Recipient recipient, std::string from) {
    mail::Envelope envelope;
    envelope.sender = std::move(from);
    envelope.recipients.push_back(std::move(recipient));
    auto id = loop.run(accepting("Subject: test\r\n\r\nbody\r\n", std::move(envelope)));
    REQUIRE(id);
    return *id;
  }
  std::vector<ReceivedMail> sent_to(const std::string& address) {
    std::vector<ReceivedMail> found;
    for (const ReceivedMail& mail : main().mails)
      if (mail.recipients == std::vector<std::string>{address}) found.push_back(mail);
    return found;
  }
};

bool is_in(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("postmaster: gets a copy of each bounce, from <>, with the header only") {
  PostmasterRig rig;
  rig.send({"no@example.net"});
  rig.pass(1h);
  REQUIRE(rig.sent_to("app@example.com").size() == 1);
  REQUIRE(rig.sent_to(kPostmaster).size() == 1);
  const ReceivedMail copy = rig.sent_to(kPostmaster).front();
  CHECK(copy.sender.empty());
  CHECK(is_in(copy.content,
              "To: <pm@example.com>\r\nSubject: For the postmaster: Undelivered mail: no@example.net\r\n"));
  CHECK(is_in(copy.content, "550 5.1.1 no such user"));
  CHECK(is_in(copy.content, "Subject: test"));
  CHECK_FALSE(is_in(copy.content, "\r\nbody\r\n"));
  CHECK(is_in(rig.sent_to("app@example.com").front().content, "\r\nbody\r\n"));
  CHECK(rig.lines_with("kind=postmaster recipients=1") == 1);
  CHECK(rig.lines_with("kind=failed recipients=1") == 1);
  CHECK(rig.queued().empty());
}

TEST_CASE(
    "postmaster: no copy of what the postmaster gets anyway, of delays, or where nobody wants to know") {
  PostmasterRig rig;
  rig.send({"no@example.net"}, "pm@EXAMPLE.com");
  rig.pass(1h);
  CHECK(rig.main().mails.size() == 1);
  rig.send_with({"no@example.net", {.never = true}, ""}, "app@example.com");
  rig.pass(1h);
  CHECK(rig.main().mails.size() == 1);
  rig.send({"later@example.net"});
  rig.pass(5h);
  CHECK(rig.sent_to("app@example.com").size() == 1);
  CHECK(rig.sent_to(kPostmaster).empty());
}

TEST_CASE("postmaster: a failed message from <> is reported, and has ended") {
  PostmasterRig rig;
  rig.send({"no@example.net"}, "");
  rig.pass(1h);
  REQUIRE(rig.main().mails.size() == 1);
  CHECK(rig.main().mails[0].recipients == std::vector<std::string>{kPostmaster});
  CHECK(is_in(rig.main().mails[0].content, "A message from <> could not be delivered"));
  CHECK(rig.queued().empty());
  CHECK(rig.relay->queued() == 0);
}

TEST_CASE("postmaster: of a message from <> all failures are in one report when all is settled") {
  PostmasterRig rig;
  rig.send({"no1@example.net", "later@example.net", "yes@example.net"}, "");
  rig.pass(1h);
  CHECK(rig.sent_to(kPostmaster).empty());
  CHECK(rig.queued().size() == 1);
  rig.is_busy = false;
  rig.pass(2h);
  REQUIRE(rig.sent_to(kPostmaster).size() == 1);
  const std::string report = rig.sent_to(kPostmaster).front().content;
  CHECK(is_in(report, "<no1@example.net>"));
  CHECK(is_in(report, "550 5.1.1 no such user"));
  CHECK_FALSE(is_in(report, "later@"));
  CHECK(rig.queued().empty());
}

TEST_CASE("postmaster: a copy that fails is dropped with a line in the log, and nothing goes in circles") {
  for (std::string sender : {"app@example.com", ""}) {
    PostmasterRig rig;
    rig.refuse_postmaster();
    rig.send({"no@example.net"}, sender);
    rig.pass(24h);
    CHECK(rig.main().mails.empty());
    CHECK(rig.queued().empty());
    CHECK(rig.lines_with("a notice to the postmaster cannot be delivered and is dropped") ==
          (sender.empty() ? 1 : 2));
    // The mail itself, the notice to its sender if there is one, and for each a copy.
    CHECK(rig.lines_with("kind=postmaster") == (sender.empty() ? 1 : 2));
  }
}

TEST_CASE("postmaster: a copy is known by its ORCPT, wherever an alias has sent it") {
  PostmasterRig rig;
  rig.send_with({"no@elsewhere.test", {.never = true}, "rfc822;pm@example.com"}, "");
  rig.pass(1h);
  CHECK(rig.main().mails.empty());
  CHECK(rig.queued().empty());
  rig.send_with({"no@elsewhere.test", {.never = true}, "rfc822;other@example.com"}, "");
  rig.pass(1h);
  CHECK(rig.sent_to(kPostmaster).size() == 1);
}

TEST_CASE("postmaster: without one a failed message from <> is held as ever") {
  PostmasterRig rig;
  rig.settings.queue.postmaster.clear();
  rig.reload();
  rig.send({"no@example.net"}, "");
  rig.pass(24h);
  CHECK(rig.main().mails.empty());
  CHECK(rig.queued().size() == 1);
}

TEST_CASE("postmaster: if a report cannot be stored the message from <> is held, and nothing is lost") {
  PostmasterRig rig;
  rig.narrow.room = 0;
  const mail::MailId id = rig.send({"no@example.net"}, "");
  rig.pass(24h);
  CHECK(rig.main().mails.empty());
  auto mail = rig.loop.run(rig.spool->load(id));
  REQUIRE(mail);
  CHECK(mail->progress.held);
  CHECK(rig.lines_with("cannot be stored; the mail is held") == 1);
}

TEST_CASE("postmaster: the copy is stored before the bounce, so that it is not the sender who hears twice") {
  PostmasterRig rig;
  rig.narrow.room = 1;
  rig.send({"no@example.net"});
  rig.pass(1s);
  CHECK(rig.sent_to(kPostmaster).size() == 1);
  CHECK(rig.sent_to("app@example.com").empty());
  CHECK(rig.queued().size() == 1);
  rig.narrow.room = 1'000'000;
  rig.pass(1h);
  CHECK(rig.sent_to(kPostmaster).size() == 2);
  CHECK(rig.sent_to("app@example.com").size() == 1);
  CHECK(rig.queued().empty());
}

TEST_CASE("postmaster: a crash between the copy and the bounce loses neither") {
  PostmasterRig rig;
  rig.narrow.room = 1;
  rig.send({"no@example.net"});
  rig.pass(1s);
  rig.stop_relay();
  rig.crash(0);
  rig.sink = nullptr;
  rig.start_relay();
  rig.pass(1h);
  CHECK(rig.sent_to("app@example.com").size() == 1);
  CHECK(rig.sent_to(kPostmaster).size() >= 1);
  CHECK(rig.queued().empty());
}
