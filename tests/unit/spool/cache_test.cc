// SPDX-License-Identifier: MIT
#include "spool/cache.h"

#include <doctest/doctest.h>

#include "spool/ids.h"
#include "spool/segment.h"
#include "tests/unit/spool/spool_fixture.h"

namespace hikyaku::spool {
namespace {

TEST_CASE("cache: the oldest goes first, and a reader keeps what it has") {
  ManualClock clock;
  io::Loop loop(clock);
  Cache cache;
  MemoryBudget budget(loop, 1 << 20, [&] { return cache.evict_oldest(); });
  auto make = [&](std::string content) {
    return std::make_shared<CachedMail>(
        CachedMail{{}, std::move(content), Reservation(budget, Share::small)});
  };
  cache.put({1}, make("one"));
  cache.put({2}, make("two"));
  CachedMailPtr held = cache.find({1});
  CHECK(cache.evict_oldest());
  CHECK(cache.find({1}) == nullptr);
  REQUIRE(held != nullptr);
  CHECK(held->content == "one");
  CHECK(cache.find({2}) != nullptr);
  cache.drop({2});
  CHECK_FALSE(cache.evict_oldest());
}

TEST_CASE("cache: what has just arrived is relayed without reading the disk") {
  SpoolFixture fixture;
  REQUIRE(fixture.start() == std::nullopt);
  auto id = fixture.accept("hello");
  std::string path = "log/" + fixture.disk->list("log")->front();
  fixture.disk->corrupt(path, kBlock, std::string(1024, '\xff'));
  CHECK(fixture.content(id) == "hello");
  CHECK(fixture.loop.run(fixture.spool->load(id)));
}

TEST_CASE("cache: it gives way to the budget, and what it lost comes from the disk") {
  SpoolFixture fixture;
  fixture.options.memory = 256_KiB;
  fixture.options.segment_size = 1_MiB;
  REQUIRE(fixture.start() == std::nullopt);
  std::vector<mail::MailId> ids;
  for (int i = 0; i < 60; ++i) ids.push_back(fixture.accept(std::string(10'000, static_cast<char>('0' + i))));
  for (std::size_t i = 0; i < ids.size(); ++i)
    CHECK(fixture.content(ids[i]) == std::string(10'000, static_cast<char>('0' + static_cast<char>(i))));
}

TEST_CASE("ids: a start goes ahead of all that was seen, and to the clock where that is further") {
  WallTime now(std::chrono::seconds(1'790'000'000));
  Ids fresh({0}, now);
  CHECK(fresh.highest().value == 1'790'000'000'000'000);
  CHECK(fresh.assign() > mail::MailId{1'790'000'000'000'000});
  Ids behind({1'990'000'000'000'000}, now);
  CHECK(behind.highest().value == 1'990'000'000'000'000 + (1 << 20));
  Ids before_1970({7}, WallTime(std::chrono::seconds(-5)));
  CHECK(before_1970.highest().value == 7 + (1 << 20));
}

}  // namespace
}  // namespace hikyaku::spool
