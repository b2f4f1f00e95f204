// SPDX-License-Identifier: MIT
#include "daemon/dns/record_cache.h"

#include <doctest/doctest.h>

#include "daemon/base/text.h"
#include "tests/unit/dns/fixed_records.h"

using namespace hikyaku;
using namespace hikyaku::dns;
using test::FixedRecords;

namespace {

struct CacheRig {
  Answer ask(const char* name) { return loop.run(cache.look_up(name, RecordType::a, {})); }
  void advance(Duration time) { clock.advance(time); }

  ManualClock clock;
  io::Loop loop{clock};
  FixedRecords records;
  RecordCache cache{loop, records};
};

Answer found_for(Duration ttl) {
  return {.status = Status::found, .addresses = {*IpAddress::parse("192.0.2.1")}, .ttl = ttl};
}

}  // namespace

TEST_CASE("dns: an answer is kept for its TTL, and marked as kept") {
  CacheRig rig;
  rig.records.set("mx.example", RecordType::a, found_for(5min));
  CHECK_FALSE(rig.ask("mx.example").is_kept);
  rig.advance(4min);
  CHECK(rig.ask("MX.example").is_kept);
  rig.advance(2min);
  CHECK_FALSE(rig.ask("mx.example").is_kept);
  CHECK(rig.records.asked == 2);
}

TEST_CASE("dns: TTLs are kept within bounds") {
  CacheRig rig;
  rig.records.set("short.example", RecordType::a, found_for(0s));
  rig.records.set("long.example", RecordType::a, found_for(24h * 7));
  rig.ask("short.example");
  rig.ask("long.example");
  rig.advance(9s);
  CHECK(rig.ask("short.example").is_kept);
  rig.advance(2s);
  CHECK_FALSE(rig.ask("short.example").is_kept);
  rig.advance(59min);
  CHECK(rig.ask("long.example").is_kept);
  rig.advance(1min);
  CHECK_FALSE(rig.ask("long.example").is_kept);
}

TEST_CASE("dns: that there is nothing is kept for a minute at most, a failure never") {
  CacheRig rig;
  rig.records.set("none.example", RecordType::a, {.status = Status::no_such_name, .ttl = 1h});
  rig.records.set("empty.example", RecordType::a, {.status = Status::no_data, .ttl = 5s});
  rig.records.set("sick.example", RecordType::a, failed("SERVFAIL"));
  for (const char* name : {"none.example", "empty.example", "sick.example"}) rig.ask(name);
  CHECK_FALSE(rig.ask("sick.example").is_kept);
  rig.advance(6s);
  CHECK_FALSE(rig.ask("empty.example").is_kept);
  CHECK(rig.ask("none.example").is_kept);
  rig.advance(55s);
  CHECK_FALSE(rig.ask("none.example").is_kept);
}

TEST_CASE("dns: an answer without a TTL for its absence is not kept") {
  CacheRig rig;
  rig.records.set("none.example", RecordType::a, {.status = Status::no_such_name});
  rig.ask("none.example");
  CHECK_FALSE(rig.ask("none.example").is_kept);
  CHECK(rig.cache.size() == 0);
}

TEST_CASE("dns: aliases are followed from answer to answer") {
  CacheRig rig;
  rig.records.set("a.example", RecordType::a, {.status = Status::alias, .alias = "b.example", .ttl = 1min});
  rig.records.set("b.example", RecordType::a, {.status = Status::alias, .alias = "c.example", .ttl = 1min});
  rig.records.set("c.example", RecordType::a, found_for(1min));
  CHECK(rig.ask("a.example").addresses.size() == 1);
  CHECK(rig.records.asked == 3);
  CHECK(rig.ask("a.example").is_kept);
  CHECK(rig.records.asked == 3);
}

TEST_CASE("dns: aliases in a circle end as a failure, after few look-ups") {
  CacheRig rig;
  rig.records.set("a.example", RecordType::a, {.status = Status::alias, .alias = "b.example"});
  rig.records.set("b.example", RecordType::a, {.status = Status::alias, .alias = "a.example"});
  auto answer = rig.ask("a.example");
  CHECK(answer.status == Status::failed);
  CHECK(answer.trouble == "the DNS answers with aliases (CNAME) that never end");
  CHECK(rig.records.asked == 2);
}

TEST_CASE("dns: the cache is bounded, and what would be over next goes first") {
  CacheRig rig;
  rig.records.otherwise = found_for(30min);
  rig.records.set("soon.example", RecordType::a, found_for(20s));
  rig.ask("soon.example");
  for (std::size_t i = 0; i < kMostKept; ++i) rig.ask(cat("d", std::to_string(i), ".example").c_str());
  CHECK(rig.cache.size() == kMostKept);
  CHECK(rig.ask("d0.example").is_kept);
  CHECK_FALSE(rig.ask("soon.example").is_kept);
}

TEST_CASE("dns: the cache can be emptied") {
  CacheRig rig;
  rig.records.set("mx.example", RecordType::a, found_for(5min));
  rig.ask("mx.example");
  rig.cache.forget();
  CHECK_FALSE(rig.ask("mx.example").is_kept);
}
