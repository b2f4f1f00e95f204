// SPDX-License-Identifier: MIT
#include "spool/postgresql/body.h"

#include <doctest/doctest.h>

#include "spool/postgresql/statements.h"
#include "tests/unit/postgresql/sim_node.h"

namespace hikyaku::test {

using mail::SourceErrorKind;

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
    fleet.restart();
    CHECK(fleet.loop.run(fleet.left.spool->load(*id))->envelope == mail->envelope);
    CHECK(fleet.content(*id) == body);
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
  fleet.restart();
  CHECK(fleet.content(*large).error().kind == SourceErrorKind::damaged);
  CHECK(fleet.content(*small).error().kind == SourceErrorKind::damaged);
}

TEST_CASE("shared spool: what has just come is not read back before it is sent, while the lease is sure") {
  Keeping fleet;
  auto id = fleet.accept(fleet.left, "hello\r\n");
  REQUIRE(id);
  fleet.left.wire.refuses = [](const postgresql::Statement& statement) {
    return statement.query == &postgresql::kLoad || statement.query == &postgresql::kLoadContent;
  };
  auto loaded = [&] { return fleet.loop.run(fleet.left.spool->load(*id)); };
  const auto fresh = loaded();
  REQUIRE(fresh);
  CHECK(fresh->progress == mail::untouched_progress(1));
  CHECK(fleet.content(*id) == "hello\r\n");
  SUBCASE("it may have become another's") {
    fleet.left.cut(true);
    fleet.pass(3s);
    CHECK_FALSE(loaded());
  }
  SUBCASE("it has been tried") {
    REQUIRE(fleet.loop.run(fleet.left.spool->record(*id, fresh->progress, mail::MayGo::no)));
    CHECK_FALSE(loaded());
  }
}

TEST_CASE("shared spool: what has just come gives way to what needs the memory") {
  Keeping fleet;
  std::vector<mail::MailId> ids;
  for (int i = 0; i < 60; ++i) ids.push_back(*fleet.accept(fleet.left, std::string(200'000, 'x')));
  CHECK(fleet.left.spool->use().memory <= fleet.left.options.memory.bytes);
  for (mail::MailId id : ids) CHECK(fleet.content(id)->size() == 200'000);
}

}  // namespace hikyaku::test
