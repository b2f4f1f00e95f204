// SPDX-License-Identifier: MIT
#include "spool/large_body.h"

#include <doctest/doctest.h>

#include "daemon/io/nursery.h"
#include "spool/recovery.h"
#include "tests/unit/spool/spool_fixture.h"

namespace hikyaku::spool {
namespace {

std::string large_content(std::size_t size) {
  std::string bytes(size, 0);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7 % 251);
  return bytes;
}

struct LargeFixture : SpoolFixture {
  LargeFixture() { REQUIRE(start() == std::nullopt); }
  std::vector<std::string> files() { return *disk->list("large"); }
};

TEST_CASE("large body: it has a file of its own and comes back in pieces") {
  LargeFixture fixture;
  std::string content = large_content(300'000);
  auto id = fixture.accept(content);
  CHECK(fixture.files().size() == 1);
  CHECK(fixture.disk->content(large_path(id)) == content);
  CHECK(fixture.content(id) == content);
  fixture.crash(0);
  CHECK(fixture.content(id) == content);
}

TEST_CASE("large body: file, then directory, then record") {
  LargeFixture fixture;
  fixture.accept(large_content(100'000));
  std::string log = fixture.disk->log();
  CAPTURE(log);
  std::size_t file = log.rfind("flush large/");
  std::size_t directory = log.rfind("sync_directory large");
  std::size_t record = log.rfind("flush log/");
  REQUIRE(file != log.npos);
  REQUIRE(directory != log.npos);
  CHECK(file < directory);
  CHECK(directory < record);
}

TEST_CASE("large body: a cut at any step keeps it whole or leaves nothing") {
  std::string content = large_content(100'000);
  std::uint64_t last = 0;
  {
    LargeFixture fixture;
    fixture.accept(content);
    last = fixture.disk->steps();
  }
  for (std::uint64_t step = last - 12; step <= last + 1; ++step) {
    for (std::uint64_t seed = 0; seed < 9; ++seed) {
      LargeFixture fixture;
      fixture.disk->cut_power_at(step);
      auto id = fixture.try_accept(content);
      fixture.crash(seed);
      CAPTURE(step);
      CAPTURE(seed);
      if (id) CHECK(fixture.queued() == std::vector{*id});
      for (mail::MailId queued : fixture.queued()) CHECK(fixture.content(queued) == content);
      CHECK(fixture.files().size() == fixture.queued().size());
    }
  }
}

TEST_CASE("large body: a flipped bit or a missing end is noticed before the last piece is handed out") {
  std::string content = large_content(200'000);
  for (bool truncated : {false, true}) {
    LargeFixture fixture;
    auto id = fixture.accept(content);
    if (truncated) {
      auto file = fixture.disk->open_for_writing(large_path(id));
      REQUIRE((*file)->truncate(199'999));
    } else {
      fixture.disk->corrupt(large_path(id), 10, "x");
    }
    auto read = fixture.read(id);
    REQUIRE_FALSE(read);
    CHECK(read.error().kind == mail::SourceErrorKind::damaged);
  }
}

TEST_CASE("large body: a missing file is damage, not an empty message") {
  LargeFixture fixture;
  auto id = fixture.accept(large_content(200'000));
  REQUIRE(fixture.disk->unlink(large_path(id)));
  CHECK(fixture.read(id).error().kind == mail::SourceErrorKind::damaged);
}

TEST_CASE("large body: it can be read again from its beginning") {
  LargeFixture fixture;
  std::string content = large_content(200'000);
  auto id = fixture.accept(content);
  auto twice = [](Spool* spool, mail::MailId which) -> Task<std::string> {
    auto reader = spool->open(which);
    std::string all;
    auto piece = co_await (*reader)->next();
    auto rewound = co_await (*reader)->rewind();
    while (piece && rewound) {
      piece = co_await (*reader)->next();
      if (!piece || piece->empty()) break;
      all += *piece;
    }
    co_return all;
  };
  CHECK(fixture.loop.run(twice(fixture.spool.get(), id)) == content);
}

TEST_CASE("large body: what does not fit into the memory budget spills, and nobody waits for ever") {
  SpoolFixture fixture;
  fixture.options.memory = 200_KiB;
  fixture.options.segment_size = 4_MiB;
  REQUIRE(fixture.start() == std::nullopt);
  io::Nursery nursery(fixture.loop);
  std::string content = large_content(900'000);
  int done = 0;
  auto one = [](SpoolFixture* with, std::string bytes, int* count) -> Task<void> {
    auto id = co_await with->accepting(bytes, some_envelope());
    if (!id) co_return;
    auto read = co_await with->reading(*id);
    if (read && *read == bytes) ++*count;
  };
  for (int i = 0; i < 12; ++i) nursery.spawn(one(&fixture, content, &done));
  fixture.loop.run(nursery.drained({}));
  CHECK(done == 12);
  CHECK(fixture.disk->list("large")->size() == 12);
}

TEST_CASE("large body: a full disk refuses the message and leaves no file") {
  LargeFixture fixture;
  fixture.disk->set_capacity(250'000);
  auto refused = fixture.try_accept(large_content(200'000));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == mail::SinkErrorKind::no_space);
  CHECK(fixture.files().empty());
}

}  // namespace
}  // namespace hikyaku::spool
