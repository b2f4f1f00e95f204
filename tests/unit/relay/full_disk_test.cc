// SPDX-License-Identifier: MIT
// A disk without room: what is queued leaves all the same, and only what really cannot be stored waits.
#include <doctest/doctest.h>

#include "tests/unit/relay/relay_rig.h"

using namespace hikyaku;
using namespace hikyaku::relay;
using namespace hikyaku::test;

namespace {

// A spool that stores no notices, or no progress, while it is told so.
class PoorSpool final : public mail::MailSink, public mail::MailSource {
 public:
  explicit PoorSpool(spool::Spool& spool) : spool_(spool) {}
  bool has_room_for_notices = true;
  bool has_room_for_progress = true;

  Result<void, mail::SinkError> may_accept(std::uint64_t size) override { return spool_.may_accept(size); }
  Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> begin() override { return spool_.begin(); }
  Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> begin_notice(mail::MailId about) override {
    if (!has_room_for_notices) return fail(mail::SinkErrorKind::no_space, "the quota is used up");
    return spool_.begin_notice(about);
  }

  std::vector<mail::QueueEntry> entries() const override { return spool_.entries(); }
  Task<Result<mail::QueuedMail, mail::SourceError>> load(mail::MailId id) override { return spool_.load(id); }
  Result<std::unique_ptr<mail::ContentReader>, mail::SourceError> open(mail::MailId id) override {
    return spool_.open(id);
  }
  Task<Result<mail::Recorded, mail::SourceError>> record(mail::MailId id, mail::Progress progress,
                                                         mail::MayGo may_go) override {
    if (!has_room_for_progress) co_return fail(mail::SourceErrorKind::write_failed, "the quota is used up");
    auto recorded = co_await spool_.record(id, std::move(progress), may_go);
    co_return recorded;
  }
  Task<Result<void, mail::SourceError>> finish(mail::MailId id) override { return spool_.finish(id); }

 private:
  spool::Spool& spool_;
};

struct PoorRig : RelayRig {
  PoorSpool poor{*spool};

  PoorRig() {
    sink = &poor;
    source = &poor;
    start_relay();
    send();
    pass();  // the smarthost is proven
    main().answer = [](const std::string& command) {
      return command.starts_with("RCPT TO:<no") ? "550 5.1.1 no such user" : "";
    };
  }
  mail::MailId send_wanting_success(const std::string& to, const std::string& other = {}) {
    mail::Envelope envelope;
    envelope.sender = "app@example.com";
    envelope.recipients.push_back({.address = to, .notify = {.success = true}, .orcpt = {}});
    if (!other.empty())
      envelope.recipients.push_back({.address = other, .notify = {.success = true}, .orcpt = {}});
    auto id = loop.run(accepting("Subject: test\r\n\r\nbody\r\n", std::move(envelope)));
    REQUIRE(id);
    return *id;
  }
  void crash_and_have_room() {
    stop_relay();
    crash(0);
    sink = nullptr;
    source = nullptr;
    start_relay();
    pass(1h);
  }
  std::size_t sent_to(const std::string& address) {
    return static_cast<std::size_t>(std::ranges::count_if(main().mails, [&](const ReceivedMail& mail) {
      return std::ranges::count(mail.recipients, address);
    }));
  }
  mail::RecipientState state(mail::MailId id, std::size_t recipient) {
    auto mail = loop.run(spool->load(id));
    REQUIRE(mail);
    return mail->progress.recipients[recipient].state;
  }
};

}  // namespace

TEST_CASE("full disk: below min_free everything that is queued leaves, bounces too") {
  RelayRig rig;
  rig.stop();
  rig.options.min_free = 1_MiB;
  REQUIRE(rig.start() == std::nullopt);
  for (int i = 0; i < 49; ++i) rig.send();
  for (int i = 0; i < 3; ++i) rig.send({"no@example.net"});
  rig.disk->fill_up(300'000);
  REQUIRE_FALSE(rig.spool->begin());
  rig.main().answer = [](const std::string& command) {
    return command.starts_with("RCPT TO:<no") ? "550 5.1.1 no such user" : "";
  };
  rig.start_relay();
  rig.pass();
  CHECK(rig.main().mails.size() == 52);
  CHECK(std::ranges::count(rig.main().mails, std::string(), &ReceivedMail::sender) == 3);
  CHECK(rig.queued().empty());
}

TEST_CASE("full disk: a mail whose notice cannot be stored waits by itself, and bounces when there is room") {
  PoorRig rig;
  rig.poor.has_room_for_notices = false;
  std::vector<mail::MailId> refused;
  for (int i = 0; i < 49; ++i) {
    rig.send({"yes@example.net"});
    if (i % 10 == 0) refused.push_back(rig.send({"no@example.net"}));
  }
  rig.pass();
  CHECK(rig.sent_to("yes@example.net") == 49);
  CHECK(rig.queued() == refused);
  for (mail::MailId id : refused) CHECK(rig.state(id, 0) == mail::RecipientState::pending);
  CHECK(rig.lines_with("no more is sent until it can") == 0);
  rig.poor.has_room_for_notices = true;
  rig.relay->storage_is_back();
  rig.pass();
  CHECK(rig.sent_to("app@example.com") == 5);
  CHECK(rig.sent_to("no@example.net") == 0);
  CHECK(rig.queued().empty());
}

TEST_CASE(
    "full disk: while the notice for one recipient waits the others are delivered once, also over a crash") {
  PoorRig rig;
  rig.poor.has_room_for_notices = false;
  auto id = rig.send({"yes@example.net", "no@example.net"});
  rig.pass();
  CHECK(rig.state(id, 0) == mail::RecipientState::delivered);
  CHECK(rig.state(id, 1) == mail::RecipientState::pending);
  rig.crash_and_have_room();
  CHECK(rig.sent_to("yes@example.net") == 1);
  CHECK(rig.sent_to("app@example.com") == 1);
  CHECK(rig.queued().empty());
}

TEST_CASE(
    "full disk: while a notice of success waits the mail never leaves again, also over a crash, and the rest "
    "does") {
  PoorRig rig;
  rig.poor.has_room_for_notices = false;
  auto id = rig.send_wanting_success("yes@example.net");
  rig.pass();
  CHECK(rig.state(id, 0) == mail::RecipientState::delivered);
  for (int i = 0; i < 300; ++i) rig.send({"other@example.net"});
  rig.pass(5h);
  CHECK(rig.sent_to("other@example.net") == 300);
  CHECK(rig.queued() == std::vector{id});
  auto mail = rig.loop.run(rig.spool->load(id));
  REQUIRE(mail);
  CHECK(mail->progress.attempts > 3);
  CHECK(mail->progress.attempts < 20);
  CHECK(mail->progress.reason ==
        "delivered, but the notice to the sender cannot be stored yet: the quota is used up");
  rig.crash_and_have_room();
  CHECK(rig.sent_to("yes@example.net") == 1);
  CHECK(rig.sent_to("app@example.com") == 1);
  CHECK(rig.queued().empty());
}

TEST_CASE(
    "full disk: a notice of success that had to wait is told when there is room, once, and the mail ends") {
  PoorRig rig;
  rig.poor.has_room_for_notices = false;
  rig.main().answer = [](const std::string& command) {
    return command.starts_with("RCPT TO:<slow") ? "450 4.2.1 busy" : "";
  };
  rig.send_wanting_success("yes@example.net");
  rig.send_wanting_success("yes@example.net", "slow@example.net");
  rig.pass();
  CHECK(rig.sent_to("yes@example.net") == 2);
  rig.poor.has_room_for_notices = true;
  rig.relay->storage_is_back();
  rig.pass();
  CHECK(rig.sent_to("app@example.com") == 2);
  CHECK(rig.queued().size() == 1);
  rig.main().answer = [](const std::string&) { return ""; };
  rig.pass(1h);
  CHECK(rig.sent_to("yes@example.net") == 2);
  CHECK(rig.sent_to("slow@example.net") == 1);
  CHECK(rig.sent_to("app@example.com") == 3);  // of slow's success
  CHECK(rig.queued().empty());
}

TEST_CASE("full disk: a notice that cannot be stored is tried again on the mail's own schedule") {
  PoorRig rig;
  rig.poor.has_room_for_notices = false;
  auto id = rig.send({"no@example.net"});
  rig.pass(24h);
  auto mail = rig.loop.run(rig.spool->load(id));
  REQUIRE(mail);
  CHECK(mail->progress.attempts > 3);
  CHECK(mail->progress.attempts < 50);
  CHECK(mail->progress.reason ==
        "refused, but the notice to the sender cannot be stored yet: the quota is used up");
  rig.poor.has_room_for_notices = true;
  rig.pass(4h);
  CHECK(rig.sent_to("app@example.com") == 1);
  CHECK(rig.queued().empty());
}

TEST_CASE("full disk: a delay notice that cannot be stored comes later, once") {
  PoorRig rig;
  rig.main().answer = [](const std::string& command) {
    return command.starts_with("RCPT TO:<slow") ? "450 4.2.1 busy" : "";
  };
  rig.poor.has_room_for_notices = false;
  rig.send({"slow@example.net"});
  rig.pass(10h);
  CHECK(rig.sent_to("app@example.com") == 0);
  rig.poor.has_room_for_notices = true;
  rig.pass(24h);
  CHECK(rig.sent_to("app@example.com") == 1);
  CHECK(rig.queued().size() == 1);
}

TEST_CASE("full disk: a deferral that cannot be written holds up no other mail, and is kept in memory") {
  PoorRig rig;
  rig.main().answer = [](const std::string& command) {
    return command.starts_with("RCPT TO:<slow") ? "450 4.2.1 busy" : "";
  };
  rig.poor.has_room_for_progress = false;
  rig.send({"slow@example.net"});
  rig.pass();
  for (int i = 0; i < 9; ++i) rig.send({"yes@example.net"});
  rig.pass();
  CHECK(rig.sent_to("yes@example.net") == 9);
  CHECK(rig.queued().size() == 1);
  std::size_t attempts = rig.lines_with("status=deferred");
  rig.pass(10s);
  CHECK(rig.lines_with("status=deferred") == attempts);  // it keeps its distance all the same
  rig.main().answer = [](const std::string&) { return ""; };
  rig.pass(1h);
  CHECK(rig.sent_to("slow@example.net") == 1);
}
