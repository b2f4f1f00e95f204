// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "spool/postgresql/statements.h"
#include "tests/unit/postgresql/sim_node.h"

namespace hikyaku::test {
namespace {

using mail::SourceErrorKind;

struct Fleet {
  ManualClock clock;
  io::Loop loop{clock};
  SimServer server{loop};
  SentMails sent;
  SimNode left{loop, server, sent}, right{loop, server, sent};

  std::optional<mail::MailId> accept(SimNode& node, std::string content) {
    return loop.run(node.accept(std::move(content)));
  }
  void pass(Duration time) { loop.run(io::sleep_until(loop, loop.within(time))); }
};

Task<Result<std::string, mail::SourceError>> read_all(mail::ContentReader& reader) {
  std::string all;
  for (;;) {
    auto piece = co_await reader.next();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) co_return all;
    all += *piece;
  }
}

// A smarthost that never answers, so that what is accepted stays.
struct Keeping : Fleet {
  Keeping() {
    left.smarthost = right.smarthost = [] { return Duration(1h); };
    loop.run(left.start());
  }
  Result<std::string, mail::SourceError> content(mail::MailId id) {
    auto reader = left.spool->open(id);
    if (!reader) return std::unexpected(reader.error());
    return loop.run(read_all(**reader));
  }
};

}  // namespace

TEST_CASE("shared spool: what is accepted is loaded with its envelope and read as it came") {
  Keeping fleet;
  for (std::size_t size : {0UL, 1UL, 5'000UL, 256UL << 10, (256UL << 10) + 1, 900'000UL}) {
    CAPTURE(size);
    std::string body(size, 'x');
    for (std::size_t i = 0; i < size; i += 7) body[i] = static_cast<char>('a' + i % 26);
    auto id = fleet.accept(fleet.left, body);
    REQUIRE(id);
    auto mail = fleet.loop.run(fleet.left.spool->load(*id));
    REQUIRE(mail);
    CHECK(mail->envelope.recipients.at(0).address == "user@example.net");
    CHECK(mail->size == size);
    CHECK(fleet.content(*id) == body);
    CHECK(fleet.server.pieces.empty() == (size <= 256 << 10));
    CHECK(fleet.loop.run(fleet.left.spool->finish(*id)));
    CHECK(fleet.server.pieces.empty());
    CHECK(fleet.content(*id).error().kind == SourceErrorKind::unknown_mail);
  }
}

TEST_CASE("shared spool: a body that is not what it was is never read to its end") {
  Keeping fleet;
  auto large = fleet.accept(fleet.left, std::string(600'000, 'x'));
  auto small = fleet.accept(fleet.left, "hello\r\n");
  REQUIRE((large && small));
  SUBCASE("a byte of a piece") { fleet.server.pieces.rbegin()->second.bytes[5] = 'y'; }
  SUBCASE("a piece is missing") { fleet.server.pieces.erase(std::prev(fleet.server.pieces.end())); }
  SUBCASE("two pieces have changed places") {
    std::swap(fleet.server.pieces.begin()->second, std::next(fleet.server.pieces.begin())->second);
  }
  (*fleet.server.mails.at(static_cast<std::int64_t>(small->value)).content)[0] = 'j';
  CHECK(fleet.content(*large).error().kind == SourceErrorKind::damaged);
  CHECK(fleet.content(*small).error().kind == SourceErrorKind::damaged);
}

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
  REQUIRE(fleet.loop.run(fleet.left.spool->record(*id, progress)));
  CHECK(fleet.loop.run(fleet.left.spool->load(*id))->progress == progress);
  auto entries = fleet.left.spool->entries();
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].next_wait == 5min);
  CHECK(entries[0].held);
}

TEST_CASE("shared spool: a COMMIT whose answer was lost is found out, and the mail is there once") {
  Keeping fleet;
  int marks = 0;  // for a second run, which would write nothing and so not wait for a standby
  fleet.left.wire.refuses = [&](const postgresql::Statement& statement) {
    marks += statement.query == &postgresql::kMark ? 1 : 0;
    return false;
  };
  fleet.left.wire.lose_answers = 1;
  auto id = fleet.accept(fleet.left, "hello\r\n");
  CHECK(id);
  CHECK(marks == 1);
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
  fleet.left.wire.lose_answers = 1'000'000;
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
  fleet.left.wire.is_cut = true;
  fleet.pass(5s);
  REQUIRE(fleet.left.spool->trouble());
  CHECK(fleet.left.spool->may_accept(0).error().kind == mail::SinkErrorKind::write_failed);
  fleet.left.wire.is_cut = false;
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
  fleet.left.wire.is_cut = true;
  fleet.pass(2500ms);  // lease 3 s, a sixth of it the margin
  CHECK_FALSE(fleet.left.may_send(*id));
  CHECK(fleet.server.mails.begin()->second.owner != 0);
  fleet.pass(12s);
  CHECK(fleet.right.may_send(*id));
  fleet.left.wire.is_cut = false;
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

}  // namespace hikyaku::test
