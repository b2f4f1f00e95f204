// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "spool/postgresql/statements.h"
#include "tests/unit/postgresql/sim_node.h"

namespace hikyaku::test {

using mail::SourceErrorKind;

TEST_CASE("shared spool: what is recorded comes back, and tells when the mail is due") {
  Keeping fleet;
  auto id = fleet.accept(fleet.left, "hello\r\n");
  REQUIRE(id);
  mail::Progress progress;
  progress.recipients.resize(1);
  progress.attempts = 3;
  progress.next_wait = 5min;
  progress.waited = 7min;
  progress.held = true;
  REQUIRE(fleet.loop.run(fleet.left.spool->record(*id, progress, mail::MayGo::yes)) == mail::Recorded::kept);
  CHECK(fleet.loop.run(fleet.left.spool->load(*id))->progress == progress);
  auto entries = fleet.left.spool->entries();
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].next_wait == 5min);
  CHECK(entries[0].held);
}

TEST_CASE("shared spool: a COMMIT whose answer was lost is found out, and the mail is there once") {
  Keeping fleet;
  fleet.left.wire.lose_answers = 1;
  auto id = fleet.accept(fleet.left, "hello\r\n");
  CHECK(id);
  CHECK(fleet.server.mails.size() == 1);
  fleet.left.wire.lose_answers = 1;
  auto done = fleet.loop.run(fleet.left.spool->finish(*id));
  const bool has_ended = done || done.error().kind == SourceErrorKind::unknown_mail;
  CHECK(has_ended);
  CHECK(fleet.server.mails.empty());
}

TEST_CASE("shared spool: a mail that was stored although its client was told 451 is delivered all the same") {
  Fleet fleet;
  fleet.loop.run(fleet.left.start());
  int tries = 0;
  SUBCASE("the answer is lost each time") { fleet.left.wire.lose_answers = 999'999; }
  SUBCASE("the second time it is refused") {
    fleet.left.wire.lose_answers = 1;
    fleet.left.wire.refuses = [&tries](const postgresql::Statement& statement) {
      return statement.query == &postgresql::kAccept && tries++ > 0;
    };
  }
  CHECK_FALSE(fleet.accept(fleet.left, "hello\r\n"));
  CHECK(fleet.server.mails.size() == 1);
  fleet.left.wire.lose_answers = 0;
  fleet.pass(30s);
  CHECK(fleet.server.mails.empty());
  CHECK(fleet.sent.size() == 1);
}

TEST_CASE("shared spool: what waits goes out as one transaction, and a refused one spoils no others") {
  Keeping fleet;
  std::set<mail::MailId> acknowledged;
  const auto before = fleet.left.spool->counters().batches;
  SUBCASE("all are taken") {
    for (int i = 0; i < 50; ++i) fleet.left.submit("hello\r\n", acknowledged);
    fleet.pass(100ms);
    CHECK(acknowledged.size() == 50);
    CHECK(fleet.left.spool->counters().batches - before <= 2);
  }
  SUBCASE("one is refused") {
    fleet.left.wire.refuses = [](const postgresql::Statement& statement) {
      return statement.query == &postgresql::kAccept && statement.values[6] == "bad\r\n";
    };
    for (const char* content : {"a\r\n", "bad\r\n", "b\r\n"}) fleet.left.submit(content, acknowledged);
    fleet.pass(1s);
    CHECK(acknowledged.size() == 2);
    CHECK(fleet.server.mails.size() == 2);
  }
}

TEST_CASE("shared spool: while the database is away new mail is refused, and it is said and unsaid") {
  Keeping fleet;
  std::vector<bool> told;
  fleet.left.spool->set_on_trouble([&](const auto& trouble) { told.push_back(trouble.has_value()); });
  fleet.left.cut(true);
  fleet.pass(5s);
  REQUIRE(fleet.left.spool->trouble());
  CHECK(fleet.left.spool->may_accept(0).error().kind == mail::SinkErrorKind::write_failed);
  fleet.left.cut(false);
  fleet.pass(5s);
  CHECK(fleet.left.spool->may_accept(0));
  CHECK(told == std::vector<bool>{true, false});
}

TEST_CASE("shared spool: a node that is cut off gives up its right to send before others take its mail") {
  Keeping fleet;
  fleet.loop.run(fleet.right.start());
  auto id = fleet.accept(fleet.left, "hello\r\n");
  REQUIRE(id);
  CHECK(fleet.left.may_send(*id));
  auto under_way = fleet.left.spool->open(*id);
  fleet.left.cut(true);
  fleet.pass(2500ms);  // lease 3 s, a sixth of it the margin
  CHECK_FALSE(fleet.left.may_send(*id));
  CHECK(fleet.server.mails.begin()->second.owner != 0);
  fleet.pass(12s);
  CHECK(fleet.right.may_send(*id));
  fleet.left.cut(false);
  fleet.pass(5s);
  CHECK_FALSE(fleet.left.may_send(*id));
  CHECK_FALSE((*under_way)->may_be_sent());  // although the node has a lease again
  CHECK(fleet.loop.run(fleet.left.spool->load(*id)).error().kind == SourceErrorKind::unknown_mail);
}

TEST_CASE("shared spool: a node that stops hands its mail over, and what it has waited goes along") {
  Keeping fleet;
  auto id = fleet.accept(fleet.left, "hello\r\n");
  REQUIRE(id);
  fleet.loop.run(fleet.left.stop());
  CHECK(fleet.server.nodes.empty());
  fleet.pass(3h);
  fleet.loop.run(fleet.right.start());
  fleet.pass(5s);
  auto mail = fleet.loop.run(fleet.right.spool->load(*id));
  REQUIRE(mail);
  CHECK(mail->progress.waited == 1h);
}

// ---- giving back

namespace {

// One mail at the left node, deferred once.
struct Deferred : Keeping {
  mail::MailId id;
  mail::Progress progress;

  Deferred() {
    loop.run(right.start());
    id = accept(left, "hello\r\n").value();
    progress.recipients.resize(1);
    progress.attempts = 1;
  }
  mail::Recorded record(Duration wait, mail::MayGo may_go = mail::MayGo::yes) {
    progress.next_wait = wait;
    auto recorded = loop.run(left.spool->record(id, progress, may_go));
    REQUIRE(recorded);
    return *recorded;
  }
  std::int64_t owner() { return server.mails.at(static_cast<std::int64_t>(id.value)).owner; }
  // Of whoever has it.
  mail::QueuedMail load() {
    for (SimNode* node : {&left, &right})
      if (auto mail = loop.run(node->spool->load(id))) return *mail;
    FAIL("nobody has it");
    return {};
  }
};

}  // namespace

TEST_CASE("shared spool: a mail that has to wait is nobody's, and somebody's as soon as it is due") {
  Deferred fleet;
  CHECK(fleet.record(10min) == mail::Recorded::given_back);
  CHECK(fleet.owner() == 0);
  CHECK(fleet.left.spool->entries().empty());
  CHECK(fleet.loop.run(fleet.left.spool->load(fleet.id)).error().kind == SourceErrorKind::unknown_mail);
  CHECK(fleet.loop.run(fleet.left.spool->has(fleet.id)).value());
  fleet.pass(10min - 100ms);
  CHECK(fleet.owner() == 0);
  fleet.pass(500ms);
  CHECK(fleet.owner() != 0);
  CHECK(fleet.load().progress.attempts == 1);
}

TEST_CASE("shared spool: what is due soon, is held, or is under way here in part stays this node's") {
  Deferred fleet;
  CHECK(fleet.record(5s) == mail::Recorded::kept);
  CHECK(fleet.record(10min, mail::MayGo::no) == mail::Recorded::kept);
  fleet.progress.held = true;
  CHECK(fleet.record(10min) == mail::Recorded::kept);
  CHECK(fleet.owner() != 0);
}

TEST_CASE("shared spool: a free mail has waited as long as was planned, and an hour more at most") {
  Deferred fleet;
  fleet.progress.waited = 7min;
  fleet.left.room = fleet.right.room = 0;
  CHECK(fleet.record(4h) == mail::Recorded::given_back);
  Duration more{0};
  SUBCASE("it is claimed when it is due") { fleet.pass(4h); }
  SUBCASE("nobody claims it for hours") {
    fleet.pass(4h + 2h);
    more = 1h;
  }
  fleet.left.room = 100;
  fleet.pass(5s);
  const Duration waited = fleet.load().progress.waited;
  CHECK(waited >= 7min + 4h + more);
  CHECK(waited <= 7min + 4h + more + 5s);
}

TEST_CASE("shared spool: a node asks for as much as it can send, and goes on at once while there is more") {
  Keeping fleet;
  std::set<mail::MailId> acknowledged;
  for (int i = 0; i < 700; ++i) fleet.left.submit("hello\r\n", acknowledged);
  fleet.pass(1s);
  REQUIRE(acknowledged.size() == 700);
  fleet.right.room = 0;
  fleet.loop.run(fleet.right.start());
  fleet.loop.run(fleet.left.stop());
  fleet.pass(10s);
  CHECK(fleet.right.spool->entries().empty());
  fleet.right.room = 150;
  while (fleet.right.spool->entries().empty()) fleet.pass(1ms);
  CHECK(fleet.right.spool->entries().size() == 150);
  fleet.right.room = 1000;
  fleet.pass(1500ms);
  CHECK(fleet.right.spool->entries().size() == 700);
}

TEST_CASE("shared spool: a mail that is lost and claimed again is told to the queue once") {
  Keeping fleet;
  auto id = fleet.accept(fleet.left, "hello\r\n");
  int told = 0;
  fleet.loop.run(fleet.right.start());
  fleet.right.room = 0;
  fleet.left.on_claim = [&](mail::MailId) { ++told; };
  fleet.left.cut(true);
  fleet.pass(12s);
  CHECK(fleet.server.mails.begin()->second.owner == 0);
  fleet.left.cut(false);
  fleet.pass(10s);
  CHECK(fleet.left.may_send(*id));
  CHECK(told == 0);  // the queue had it all the time
}

TEST_CASE("shared spool: a record that comes late does not replace what another node has recorded since") {
  Keeping fleet;
  auto id = fleet.accept(fleet.left, "hello\r\n");
  REQUIRE(id);
  mail::Progress progress;
  progress.recipients.resize(1);
  progress.attempts = 1;
  progress.next_wait = 11s;
  bool is_recorded = true;
  SUBCASE("another node has") { is_recorded = false; }
  SUBCASE("nobody has") {}
  fleet.loop.run(fleet.right.start());
  fleet.right.room = is_recorded ? 0 : 10;
  fleet.left.cut(true);
  fleet.pass(12s);
  fleet.right.room = 0;  // what comes free now is the other's
  if (!is_recorded) {
    REQUIRE(fleet.right.may_send(*id));
    auto theirs = progress;
    theirs.attempts = 2;
    REQUIRE(fleet.loop.run(fleet.right.spool->record(*id, theirs, mail::MayGo::yes)) ==
            mail::Recorded::given_back);
  }
  fleet.left.cut(false);
  fleet.pass(15s);
  REQUIRE(fleet.left.may_send(*id));
  auto recorded = fleet.loop.run(fleet.left.spool->record(*id, progress, mail::MayGo::no));
  CHECK(recorded.has_value() == is_recorded);
  fleet.pass(5s);
  auto mail = fleet.loop.run(fleet.left.spool->load(*id));
  REQUIRE(mail);
  CHECK(mail->progress.attempts == (is_recorded ? 1 : 2));
}

// ---- nodes that come and go

TEST_CASE("shared spool: the mail of a dead node is left alone until its last transactions have settled") {
  Keeping fleet;
  SUBCASE("take-over waits") {}
  SUBCASE("take-over does not wait: this is noticed") { fleet.server.left_out = Clause::delay_in_take_over; }
  fleet.loop.run(fleet.right.start());
  auto id = fleet.accept(fleet.left, "hello\r\n");
  REQUIRE(id);
  fleet.left.cut(true);
  fleet.pass(7s);  // it is dead after 3 s and half of that, and its mail is free 5 s later
  CHECK(fleet.server.nodes.size() == 1);
  CHECK(fleet.right.may_send(*id) == (fleet.server.left_out != Clause::none));
  fleet.pass(5s);
  CHECK(fleet.right.may_send(*id));
}

TEST_CASE("shared spool: a node that cannot renew its lease claims nothing, even if somebody rings") {
  Keeping fleet;
  fleet.loop.run(fleet.right.start());
  fleet.left.room = fleet.right.room = 0;
  auto id = fleet.accept(fleet.right, "hello\r\n");
  REQUIRE(id);
  fleet.loop.run(fleet.right.stop());
  fleet.pass(1100ms);  // behind a renewal
  fleet.left.lease_wire.is_cut = true;
  fleet.pass(2600ms);  // the database still takes the node for alive, the node itself does not
  fleet.left.room = 10;
  fleet.left.hear_ring();
  fleet.pass(200ms);
  CHECK(fleet.server.mails.begin()->second.owner == 0);
}

// ---- the doorbell

TEST_CASE("shared spool: a node that stops rings, and the others have its mail at once; or a little later") {
  Keeping fleet;
  fleet.loop.run(fleet.right.start());
  fleet.pass(1s);
  auto id = fleet.accept(fleet.left, "hello\r\n");
  SUBCASE("the ring is heard") {}
  SUBCASE("the ring is lost") { fleet.right.bell_wire.loses_rings = true; }
  fleet.left.room = 0;
  for (const int before = fleet.server.claims; fleet.server.claims == before;) fleet.pass(1ms);
  fleet.loop.run(fleet.left.stop());
  fleet.pass(150ms);
  CHECK(fleet.right.may_send(*id) != fleet.right.bell_wire.loses_rings);
  fleet.pass(2s);
  CHECK(fleet.right.may_send(*id));
}

TEST_CASE("shared spool: rings are ten a second at most") {
  Keeping fleet;
  SimWire wire;
  SimDatabase database(fleet.loop, fleet.server, wire);
  postgresql::Doorbell doorbell(fleet.loop, database);
  for (int i = 0; i < 1000; ++i) {
    doorbell.ring();
    fleet.pass(1ms);
  }
  CHECK(fleet.server.rings >= 5);
  CHECK(fleet.server.rings <= 11);
  fleet.loop.run(doorbell.end());
}

// ---- notices

namespace {

struct Refused : Keeping {
  mail::MailId about = accept(left, "hello\r\n").value();

  std::optional<mail::MailId> write_notice(const std::string& content = "a notice\r\n") {
    auto writer = left.spool->begin_notice(about);
    REQUIRE(writer);
    REQUIRE(loop.run((*writer)->write(content)));
    if (!loop.run((*writer)->commit(envelope()))) return std::nullopt;
    return (*writer)->id();
  }
  bool has(mail::MailId id) { return server.mails.contains(static_cast<std::int64_t>(id.value)); }
};

}  // namespace

TEST_CASE("shared spool: a notice is stored with the end of its mail, not before, and arrives then") {
  Refused fleet;
  std::string content = "a notice\r\n";
  SUBCASE("short") {}
  SUBCASE("long") { content = std::string(600'000, 'n'); }
  auto notice = fleet.write_notice(content);
  REQUIRE(notice);
  CHECK_FALSE(fleet.has(*notice));
  CHECK(fleet.left.spool->entries().size() == 1);
  SUBCASE("the answer comes") {}
  SUBCASE("the answer is lost") { fleet.left.wire.lose_answers = 1; }
  CHECK(fleet.loop.run(fleet.left.spool->finish(fleet.about)));
  CHECK_FALSE(fleet.has(fleet.about));
  CHECK(fleet.content(*notice) == content);
  CHECK(fleet.left.spool->entries().size() == 1);
}

TEST_CASE("shared spool: a notice that is withdrawn, or whose mail has become another's, is never stored") {
  Refused fleet;
  auto notice = fleet.write_notice(std::string(600'000, 'n'));
  REQUIRE(notice);
  CHECK_FALSE(fleet.server.pieces.empty());
  SUBCASE("withdrawn") {
    fleet.left.spool->withdraw_notice(*notice);
    CHECK(fleet.loop.run(fleet.left.spool->finish(fleet.about)));
  }
  SUBCASE("another's") {
    fleet.server.mails.at(static_cast<std::int64_t>(fleet.about.value)).owner = 4711;
    CHECK(fleet.loop.run(fleet.left.spool->finish(fleet.about)).error().kind ==
          SourceErrorKind::unknown_mail);
  }
  fleet.pass(1s);
  CHECK_FALSE(fleet.has(*notice));
  CHECK(fleet.server.pieces.empty());
}

// ---- mail of unusual origin

TEST_CASE("shared spool: mail that another hikyaku hands over goes on with its times") {
  Keeping fleet;
  const WallTime arrival = fleet.clock.wall() - 26h;
  auto writer = fleet.left.spool->begin_handed_over(
      {.arrival = arrival, .waited = 25h, .attempts = 9, .delay_noticed = true});
  REQUIRE(writer);
  REQUIRE(fleet.loop.run((*writer)->write("hello\r\n")));
  REQUIRE(fleet.loop.run((*writer)->commit(envelope())));
  auto mail = fleet.loop.run(fleet.left.spool->load((*writer)->id()));
  REQUIRE(mail);
  CHECK(mail->arrival == arrival);
  CHECK(mail->progress.waited == 25h);
  CHECK(mail->progress.attempts == 9);
  CHECK(mail->progress.delay_noticed);
  CHECK(mail->progress.recipients.size() == 1);
}

TEST_CASE(
    "shared spool: a mail that came from a file is known until the file is gone, even if another sent it") {
  Keeping fleet;
  auto writer = fleet.left.spool->begin_from_file();
  REQUIRE(writer);
  const mail::MailId id = (*writer)->id();
  CHECK_FALSE(fleet.loop.run(fleet.left.spool->has(id)).value());
  REQUIRE(fleet.loop.run((*writer)->commit(envelope())));
  CHECK(fleet.loop.run(fleet.left.spool->finish(id)));
  CHECK(fleet.loop.run(fleet.left.spool->has(id)).value());
  fleet.left.spool->forget_file(id);
  fleet.pass(1s);
  CHECK_FALSE(fleet.loop.run(fleet.left.spool->has(id)).value());
}

}  // namespace hikyaku::test
