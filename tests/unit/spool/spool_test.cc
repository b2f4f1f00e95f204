// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <numeric>

#include "daemon/io/nursery.h"
#include "tests/unit/spool/spool_fixture.h"

namespace hikyaku::spool {
namespace {

std::string body(std::size_t size, char seed = 'a') {
  std::string bytes(size, seed);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(seed + static_cast<char>(i % 23));
  return bytes;
}

TEST_CASE("spool: an accepted message is there with its content and envelope") {
  SpoolFixture fixture;
  REQUIRE(fixture.start() == std::nullopt);
  auto id = fixture.accept("Subject: x\r\n\r\nhello\r\n");
  CHECK(fixture.content(id) == "Subject: x\r\n\r\nhello\r\n");
  auto mail = fixture.loop.run(fixture.spool->load(id));
  REQUIRE(mail);
  CHECK(mail->envelope == some_envelope());
  CHECK(mail->size == 21);
  CHECK(mail->arrival == fixture.clock.wall());
  CHECK(mail->progress.recipients.size() == 1);
}

TEST_CASE("spool: what was accepted survives a restart, a kill and a power cut") {
  for (int how = 0; how < 12; ++how) {
    SpoolFixture fixture;
    REQUIRE(fixture.start() == std::nullopt);
    auto small = fixture.accept(body(500));
    auto large = fixture.accept(body(40'000));
    if (how == 0) fixture.restart();
    if (how == 1) fixture.crash(std::nullopt);
    if (how > 1) fixture.crash(static_cast<std::uint64_t>(how));
    CHECK(fixture.content(small) == body(500));
    CHECK(fixture.content(large) == body(40'000));
    CHECK(fixture.spool->reports().empty());
    auto mail = fixture.loop.run(fixture.spool->load(large));
    REQUIRE(mail);
    CHECK(mail->envelope == some_envelope());
    CHECK(mail->size == 40'000);
  }
}

TEST_CASE("spool: a writer without commit leaves nothing, not even a large body's file") {
  SpoolFixture fixture;
  REQUIRE(fixture.start() == std::nullopt);
  {
    auto writer = fixture.spool->begin();
    REQUIRE(writer);
    REQUIRE(fixture.loop.run((*writer)->write(body(1'100'000))));
    CHECK(fixture.disk->list("large")->size() == 1);
  }
  CHECK(fixture.disk->list("large")->empty());
  CHECK(fixture.queued().empty());
}

TEST_CASE("spool: progress is the whole state, and the newest counts after a restart") {
  SpoolFixture fixture;
  REQUIRE(fixture.start() == std::nullopt);
  auto id = fixture.accept("x");
  mail::Progress progress;
  progress.recipients = {{mail::RecipientState::pending, "450 later"}};
  progress.attempts = 1;
  REQUIRE(fixture.record(id, progress));
  progress.attempts = 2;
  progress.next_wait = 60s;
  progress.held = true;
  progress.reason = "because";
  REQUIRE(fixture.record(id, progress));
  fixture.restart();
  auto mail = fixture.loop.run(fixture.spool->load(id));
  REQUIRE(mail);
  CHECK(mail->progress == progress);
  REQUIRE(fixture.spool->entries().size() == 1);
  CHECK(fixture.spool->entries().front().held);
  CHECK(fixture.spool->entries().front().next_wait == 60s);
}

TEST_CASE("spool: a finished mail is gone, for good, with its large body") {
  SpoolFixture fixture;
  REQUIRE(fixture.start() == std::nullopt);
  auto small = fixture.accept("x");
  auto large = fixture.accept(body(50'000));
  REQUIRE(fixture.finish(small));
  REQUIRE(fixture.finish(large));
  CHECK(fixture.disk->list("large")->empty());
  CHECK_FALSE(fixture.finish(small));
  CHECK_FALSE(fixture.record(small, {}));
  fixture.crash(1);
  CHECK(fixture.queued().empty());
  auto gone = fixture.loop.run(fixture.spool->load(small));
  REQUIRE_FALSE(gone);
  CHECK(gone.error().kind == mail::SourceErrorKind::unknown_mail);
}

TEST_CASE("spool: arrival is announced once, when the mail is durable and before commit returns") {
  SpoolFixture fixture;
  REQUIRE(fixture.start() == std::nullopt);
  std::vector<mail::QueueEntry> arrived;
  std::uint64_t flushes_then = 0;
  fixture.spool->set_on_arrival([&](mail::QueueEntry entry) {
    arrived.push_back(entry);
    flushes_then = fixture.disk->flushes();
  });
  std::uint64_t before = fixture.disk->flushes();
  auto id = fixture.accept("hello");
  REQUIRE(arrived.size() == 1);
  CHECK(arrived.front().id == id);
  CHECK(arrived.front().size == 5);
  CHECK(flushes_then == before + 1);
}

TEST_CASE("spool: messages of one turn share one flush") {
  SpoolFixture fixture;
  REQUIRE(fixture.start() == std::nullopt);
  io::Nursery nursery(fixture.loop);
  int done = 0;
  auto one = [](SpoolFixture* with, int* count) -> Task<void> {
    auto id = co_await with->accepting("hello", some_envelope());
    if (id) ++*count;
  };
  std::uint64_t before = fixture.disk->flushes();
  for (int i = 0; i < 20; ++i) nursery.spawn(one(&fixture, &done));
  fixture.loop.run(nursery.drained({}));
  CHECK(done == 20);
  CHECK(fixture.disk->flushes() == before + 1);
  CHECK(fixture.spool->counters().records == 20);
  CHECK(fixture.spool->counters().batches == 1);
  const auto times = fixture.spool->counters().flush_times.counts;
  CHECK(std::accumulate(times.begin(), times.end(), std::uint64_t{0}) == 1);
}

TEST_CASE("spool: ids grow and are never assigned twice, whatever the clock does") {
  SpoolFixture fixture;
  REQUIRE(fixture.start() == std::nullopt);
  auto first = fixture.accept("x");
  auto unused = (*fixture.spool->begin())->id();
  CHECK(unused > first);
  fixture.clock.set_wall(WallTime(std::chrono::seconds(5)));
  fixture.restart();
  auto second = fixture.accept("y");
  CHECK(second > unused);
  REQUIRE(fixture.finish(first));
  REQUIRE(fixture.finish(second));
  fixture.restart();
  fixture.restart();
  CHECK(fixture.accept("z") > second);
}

TEST_CASE("spool: a second daemon is refused, and the first goes on") {
  SpoolFixture fixture;
  REQUIRE(fixture.start() == std::nullopt);
  auto second = fixture.loop.run(Spool::open(fixture.loop, *fixture.disk, fixture.options));
  REQUIRE_FALSE(second);
  CHECK(second.error().kind == SpoolErrorKind::locked);
  CHECK(fixture.content(fixture.accept("x")) == "x");
}

TEST_CASE("spool: no message is taken below min_free, in blocks or inodes") {
  SpoolFixture fixture;
  fixture.options.min_free = 1_MiB;
  REQUIRE(fixture.start() == std::nullopt);
  fixture.disk->set_capacity(500'000);
  auto refused = fixture.spool->begin();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == mail::SinkErrorKind::no_space);
  fixture.disk->set_capacity(10'000'000);
  CHECK(fixture.spool->may_accept(1000));
  CHECK_FALSE(fixture.spool->may_accept(9'900'000));
  fixture.disk->set_free_inodes(2);
  CHECK_FALSE(fixture.spool->may_accept(0));
}

TEST_CASE("spool: after close everything is refused") {
  SpoolFixture fixture;
  REQUIRE(fixture.start() == std::nullopt);
  auto id = fixture.accept("x");
  auto writer = fixture.spool->begin();
  REQUIRE(writer);
  fixture.loop.run(fixture.spool->close());
  CHECK(fixture.spool->begin().error().kind == mail::SinkErrorKind::shutting_down);
  auto late = fixture.loop.run((*writer)->commit(some_envelope()));
  CHECK(late.error().kind == mail::SinkErrorKind::shutting_down);
  CHECK_FALSE(fixture.finish(id));
  writer->reset();
  fixture.spool.reset();
}

TEST_CASE("spool: with its threads it does the same") {
  SystemClock clock;
  io::Loop loop(clock);
  test::SimDisk disk;
  SpoolOptions options = small_options();
  options.committer = CommitterMode::thread;
  auto session = [](io::Loop* l, test::SimDisk* d, SpoolOptions o) -> Task<int> {
    auto spool = co_await Spool::open(*l, *d, o);
    if (!spool) co_return -1;
    int intact = 0;
    for (int i = 0; i < 100; ++i) {
      auto writer = (*spool)->begin();
      std::string content(static_cast<std::size_t>(i * 400 + 1), 'x');
      auto written = co_await (*writer)->write(content);
      auto committed = co_await (*writer)->commit(some_envelope());
      auto reader = (*spool)->open((*writer)->id());
      auto piece = co_await (*reader)->next();
      if (written && committed && piece && *piece == content) ++intact;
      auto finished = co_await (*spool)->finish((*writer)->id());
      if (!finished) co_return -1;
    }
    co_await (*spool)->close();
    co_return intact;
  };
  CHECK(loop.run(session(&loop, &disk, options)) == 100);
}

TEST_CASE(
    "spool: a mail that was handed over keeps arrival, waiting time and attempts, small or large, for good") {
  for (std::size_t size : {std::size_t{10}, std::size_t{100'000}}) {
    CAPTURE(size);
    SpoolFixture fixture;
    REQUIRE(fixture.start() == std::nullopt);
    const mail::Handover handover{
        .arrival = fixture.clock.wall() - 48h, .waited = 47h, .attempts = 9, .delay_noticed = true};
    const std::string content(size, 'x');
    auto id = fixture.loop.run(
        fixture.writing(fixture.spool->begin_handed_over(handover), content, some_envelope()));
    REQUIRE(id);
    for (int round = 0; round < 2; ++round, fixture.crash(17)) {
      auto mail = fixture.loop.run(fixture.spool->load(*id));
      REQUIRE(mail);
      CHECK(mail->arrival == handover.arrival);
      CHECK(mail->progress == mail::progress_of(handover, 1));
      CHECK(fixture.content(*id) == content);
    }
    mail::Progress later = mail::progress_of(handover, 1);
    later.attempts = 10;
    REQUIRE(fixture.record(*id, later));
    CHECK(fixture.loop.run(fixture.spool->load(*id))->progress.attempts == 10);
    CHECK(fixture.finish(*id));
  }
}

TEST_CASE("spool: nothing that was handed over arrived later than now") {
  SpoolFixture fixture;
  REQUIRE(fixture.start() == std::nullopt);
  const WallTime now = fixture.clock.wall();
  auto id = fixture.loop.run(
      fixture.writing(fixture.spool->begin_handed_over({.arrival = now + 1h}), "x", some_envelope()));
  REQUIRE(id);
  CHECK(fixture.loop.run(fixture.spool->load(*id))->arrival == now);
}

}  // namespace
}  // namespace hikyaku::spool
