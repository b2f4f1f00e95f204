// SPDX-License-Identifier: MIT
// What the journal does behind the front: rolling over, failed flushes, deleting, a full disk.
#include <doctest/doctest.h>

#include "daemon/io/nursery.h"
#include "spool/segment.h"
#include "tests/unit/spool/spool_fixture.h"

namespace hikyaku::spool {
namespace {

const std::string kBody(10'000, 'x');

struct JournalFixture : SpoolFixture {
  JournalFixture() { REQUIRE(start() == std::nullopt); }
  std::size_t segments() { return disk->list("log")->size(); }
  // Chores run when the loop turns.
  void idle() { loop.run(io::sleep_until(loop, loop.within(10s))); }
};

TEST_CASE("journal: the log goes on in the next segment when one is full") {
  JournalFixture fixture;
  std::vector<mail::MailId> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(fixture.accept(kBody + std::to_string(i)));
  CHECK(fixture.segments() >= 5);
  for (std::size_t i = 0; i < ids.size(); ++i) CHECK(fixture.content(ids[i]) == kBody + std::to_string(i));
  fixture.crash(5);
  CHECK(fixture.queued() == ids);
  for (std::size_t i = 0; i < ids.size(); ++i) CHECK(fixture.content(ids[i]) == kBody + std::to_string(i));
}

TEST_CASE("journal: dead segments go, and what lives among the dead goes along with the head") {
  JournalFixture fixture;
  auto first = fixture.accept(kBody);
  for (int i = 0; i < 20; ++i) REQUIRE(fixture.finish(fixture.accept(kBody)));
  fixture.idle();
  CHECK(fixture.segments() == 2);
  CHECK(fixture.content(first) == kBody);
  REQUIRE(fixture.finish(first));
  fixture.idle();
  CHECK(fixture.segments() == 2);  // the one in use and the one prepared
  fixture.restart();
  fixture.idle();
  CHECK(fixture.segments() == 2);
  CHECK(fixture.queued().empty());
}

TEST_CASE("journal: a restart uses the file that was prepared and never the one that was written") {
  JournalFixture fixture;
  auto id = fixture.accept("before");
  auto before = *fixture.disk->list("log");
  REQUIRE(before.size() == 2);
  std::string written = fixture.disk->content("log/" + before[0]);
  fixture.crash(std::nullopt);
  auto later = fixture.accept("after");
  CHECK(fixture.content(id) == "before");
  CHECK(fixture.content(later) == "after");
  std::string records = fixture.disk->content("log/" + before[0]).substr(kBlock, 16'384);
  CHECK(records == written.substr(kBlock, 16'384));
  CHECK_FALSE(fixture.disk->open_for_reading("log/" + before[1]));
}

TEST_CASE("journal: a failed flush is tried once more, on another segment") {
  JournalFixture fixture;
  auto before = fixture.accept("before");
  fixture.disk->fail_at(test::DiskStep::flush, 1, std::errc::io_error);
  auto id = fixture.accept("hello");
  CHECK_FALSE(fixture.spool->trouble());
  CHECK(fixture.content(id) == "hello");
  auto after = fixture.accept("after");
  for (std::uint64_t seed = 0; seed < 9; ++seed) {
    auto cut = fixture.disk->after_cut(seed);
    SpoolFixture survivor;
    survivor.disk = std::move(cut);
    REQUIRE(survivor.start() == std::nullopt);
    CHECK(survivor.queued() == std::vector{before, id, after});
    CHECK(survivor.content(id) == "hello");
    CHECK(survivor.spool->reports().empty());
  }
}

TEST_CASE("journal: a failed write is tried once more, on another segment") {
  JournalFixture fixture;
  fixture.disk->fail_at(test::DiskStep::write, 1, std::errc::io_error);
  CHECK(fixture.content(fixture.accept("hello")) == "hello");
}

TEST_CASE("journal: two failed flushes fail the message, and service resumes by itself") {
  JournalFixture fixture;
  auto kept = fixture.accept("kept");
  fixture.disk->fail_at(test::DiskStep::flush, 1, std::errc::io_error,
                        3);  // both, and a new segment in between
  auto refused = fixture.try_accept("lost");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == mail::SinkErrorKind::write_failed);
  CHECK(fixture.spool->trouble());
  fixture.idle();
  auto later = fixture.accept("later");
  CHECK_FALSE(fixture.spool->trouble());
  CHECK(fixture.queued() == std::vector{kept, later});
  fixture.crash(2);
  CHECK(fixture.queued() == std::vector{kept, later});
}

TEST_CASE("journal: an outcome that cannot be written is an error, and can be given again") {
  JournalFixture fixture;
  auto id = fixture.accept("x");
  fixture.disk->set_read_only(true);
  CHECK_FALSE(fixture.finish(id));
  CHECK(fixture.queued() == std::vector{id});
  fixture.disk->set_read_only(false);
  fixture.idle();
  CHECK(fixture.finish(id));
}

TEST_CASE(
    "journal: on a full disk new mail is refused for now, nothing is lost, and it resumes when there is "
    "room") {
  JournalFixture fixture;
  fixture.disk->set_capacity(200'000);
  std::vector<mail::MailId> kept;
  Result<mail::MailId, mail::SinkError> last;
  for (int i = 0; i < 100; ++i) {
    last = fixture.try_accept(kBody);
    if (!last) break;
    kept.push_back(*last);
  }
  REQUIRE_FALSE(last);
  CHECK(last.error().kind == mail::SinkErrorKind::no_space);
  CHECK(kept.size() >= 8);
  CHECK(fixture.queued() == kept);
  fixture.disk->set_capacity(10'000'000);
  fixture.idle();
  kept.push_back(fixture.accept(kBody));
  fixture.crash(0);
  CHECK(fixture.queued() == kept);
}

TEST_CASE("journal: on a small disk segments are a sixteenth of it, and no smaller than the smallest") {
  SpoolFixture fixture;
  fixture.options.segment_size = 64_MiB;
  fixture.disk->set_capacity(10 << 20);
  REQUIRE(fixture.start() == std::nullopt);
  CHECK(fixture.disk->content("log/" + fixture.disk->list("log")->front()).size() == (640 << 10));
  SpoolFixture tiny;
  tiny.options.segment_size = 64_MiB;
  tiny.disk->set_capacity(300 << 10);
  REQUIRE(tiny.start() == std::nullopt);
  CHECK(tiny.disk->content("log/" + tiny.disk->list("log")->front()).size() == (64 << 10));
}

TEST_CASE("journal: short writes are continued") {
  JournalFixture fixture;
  fixture.disk->set_short_writes(3);
  auto id = fixture.accept(kBody);
  fixture.crash(0);
  CHECK(fixture.content(id) == kBody);
}

TEST_CASE("journal: a clean stop leaves a footer, so that the next start scans nothing") {
  JournalFixture fixture;
  auto id = fixture.accept("hello");
  auto names = *fixture.disk->list("log");
  fixture.stop();
  std::string bytes = fixture.disk->content("log/" + names[0]);
  auto header = decode_segment_header(bytes);
  REQUIRE(header.verdict == HeaderVerdict::ok);
  std::size_t begin = footer_begin(header.header.size, 1);  // a MESSAGE has facts
  auto footer = decode_footer(bytes.substr(begin, footer_end(header.header.size) - begin), header.header.size,
                              segment_seed(header.header));
  REQUIRE(footer);
  REQUIRE(footer->entries.size() == 1);
  CHECK(footer->entries.front().id == id);
}

TEST_CASE("journal: everything that waits is written before the spool is closed") {
  SpoolFixture fixture;
  REQUIRE(fixture.start() == std::nullopt);
  io::Nursery nursery(fixture.loop);
  std::vector<mail::MailId> accepted;
  auto one = [](SpoolFixture* with, std::vector<mail::MailId>* ids) -> Task<void> {
    auto id = co_await with->accepting("hello", some_envelope());
    if (id) ids->push_back(*id);
  };
  for (int i = 0; i < 5; ++i) nursery.spawn(one(&fixture, &accepted));
  fixture.loop.run(fixture.spool->close());
  fixture.loop.run(nursery.drained({}));
  CHECK(accepted.size() == 5);
  fixture.spool.reset();
  REQUIRE(fixture.start() == std::nullopt);
  CHECK(fixture.queued() == accepted);
}

}  // namespace
}  // namespace hikyaku::spool
