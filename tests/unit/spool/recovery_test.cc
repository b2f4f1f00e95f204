// SPDX-License-Identifier: MIT
#include "spool/recovery.h"

#include <doctest/doctest.h>

#include "daemon/base/checksum.h"
#include "spool/codec.h"
#include "spool/start.h"
#include "tests/unit/spool/spool_fixture.h"

namespace hikyaku::spool {
namespace {

std::string text_of(int i) {
  return "message " + std::to_string(i) + std::string(200, static_cast<char>('a' + i % 26));
}

struct DamageFixture : SpoolFixture {
  static constexpr int kMails = 10;
  std::vector<mail::MailId> ids;
  std::string path;

  DamageFixture() {
    REQUIRE(start() == std::nullopt);
    path = "log/" + disk->list("log")->front();
    for (int i = 0; i < kMails; ++i) ids.push_back(accept(text_of(i)));
  }
  // Where mail i's content stands in the segment.
  std::uint64_t position(int i) const { return disk->content(path).find(text_of(i)); }
  void damage(std::uint64_t offset) {
    char byte = disk->content(path)[offset];
    disk->corrupt(path, offset, std::string(1, static_cast<char>(byte ^ 0x20)));
  }
  void restart_after_kill() { crash(std::nullopt); }
  // Whatever is queued comes back unchanged or as `damaged`.
  int intact() {
    int count = 0;
    for (int i = 0; i < kMails; ++i) {
      auto read = this->read(ids[static_cast<std::size_t>(i)]);
      if (read) CHECK(*read == text_of(i));
      if (!read) CHECK(read.error().kind != mail::SourceErrorKind::read_failed);
      count += read.has_value();
    }
    return count;
  }
};

TEST_CASE("recovery: a damaged body costs that mail only, is reported, and a copy is kept") {
  DamageFixture fixture;
  fixture.damage(fixture.position(4) + 20);
  fixture.restart_after_kill();
  CHECK(fixture.intact() == 9);
  CHECK(fixture.queued().size() == 9);
  REQUIRE(fixture.spool->reports().size() == 1);
  CHECK(to_line(fixture.spool->reports().front()).find(to_text(fixture.ids[4])) != std::string::npos);
  CHECK(fixture.disk->list("corrupt")->size() == 1);
  fixture.restart();
  CHECK(fixture.intact() == 9);
  CHECK(fixture.spool->reports().empty());
}

TEST_CASE("recovery: a damaged progress behind a footer costs the progress, not the mail") {
  SpoolFixture fixture;
  REQUIRE(fixture.start() == std::nullopt);
  auto id = fixture.accept("hello");
  std::string path = "log/" + fixture.disk->list("log")->front();
  mail::Progress progress;
  progress.recipients.resize(1);
  progress.reason = "a reason that is easily found";
  REQUIRE(fixture.record(id, progress));
  fixture.stop();
  fixture.disk->corrupt(path, fixture.disk->content(path).find(progress.reason), "A");
  REQUIRE(fixture.start() == std::nullopt);
  std::vector<DamageReport> told;
  fixture.spool->set_on_damage([&](const DamageReport& report) { told.push_back(report); });
  auto loaded = fixture.loop.run(fixture.spool->load(id));
  REQUIRE(loaded);
  CHECK(loaded->progress.reason == "");
  CHECK(fixture.content(id) == "hello");
  REQUIRE(told.size() == 1);
  CHECK(told[0].loss == Loss::progress);
}

TEST_CASE("recovery: a large body that is gone is told with its sender and recipients") {
  SpoolFixture fixture;
  REQUIRE(fixture.start() == std::nullopt);
  auto id = fixture.accept(std::string(100'000, 'x'));
  fixture.stop();
  REQUIRE(fixture.disk->unlink(large_path(id)));
  REQUIRE(fixture.start() == std::nullopt);
  std::vector<std::string> told;
  fixture.spool->set_on_damage([&](const DamageReport& report) { told.push_back(to_line(report)); });
  CHECK(fixture.read(id).error().kind == mail::SourceErrorKind::damaged);
  REQUIRE(told.size() == 1);
  CHECK(told[0] == "spool damage: " + large_path(id) + " is missing: mail " + to_text(id) +
                       " from <app@example.com> to <user@example.net> is lost (its content is damaged)");
}

TEST_CASE("recovery: a damaged record header costs that mail only") {
  DamageFixture fixture;
  fixture.damage(fixture.position(4) - 130);
  fixture.restart_after_kill();
  CHECK(fixture.intact() == 9);
  CHECK(fixture.spool->reports().size() == 1);
}

TEST_CASE(
    "recovery: damage behind a footer is found when the mail is read or copied, told once, and never sent") {
  DamageFixture fixture;
  std::uint64_t where = fixture.position(4) + 20;
  fixture.stop();
  fixture.damage(where);
  REQUIRE(fixture.start() == std::nullopt);
  std::vector<std::string> told;
  fixture.spool->set_on_damage([&](const DamageReport& report) { told.push_back(to_line(report)); });
  CHECK(fixture.spool->reports().empty());
  for (int i = 0; i < 2; ++i) CHECK(fixture.intact() == 9);
  REQUIRE(told.size() == 1);
  CHECK(told[0] ==
        "spool damage: " + fixture.path + " is damaged: mail " + to_text(fixture.ids[4]) +
            " from <app@example.com> to <user@example.net> is lost (its content is damaged); a copy is "
            "in corrupt/");
  CHECK(fixture.disk->list("corrupt")->size() == 1);
}

TEST_CASE("recovery: one damaged copy of the header is no loss, two lose the segment and say so") {
  DamageFixture fixture;
  fixture.damage(100);
  fixture.restart_after_kill();
  CHECK(fixture.intact() == 10);
  fixture.damage(100);
  fixture.damage(64 * 1024 - 4096 + 100);
  fixture.restart_after_kill();
  CHECK(fixture.intact() == 0);
  CHECK(fixture.queued().empty());
  REQUIRE(fixture.spool->reports().size() == 1);
  CHECK(fixture.disk->list("corrupt")->size() == 1);
  CHECK(fixture.content(fixture.accept("goes on")) == "goes on");
}

TEST_CASE("recovery: segments whose files have each other's names are read all the same") {
  SpoolFixture fixture;
  REQUIRE(fixture.start() == std::nullopt);
  std::vector<mail::MailId> ids;
  for (int i = 0; i < 8; ++i) ids.push_back(fixture.accept(std::string(12'000, static_cast<char>('a' + i))));
  fixture.stop();
  auto names = *fixture.disk->list("log");
  REQUIRE(names.size() >= 3);
  REQUIRE(fixture.disk->rename("log/" + names[0], "log/x"));
  REQUIRE(fixture.disk->rename("log/" + names[1], "log/" + names[0]));
  REQUIRE(fixture.disk->rename("log/x", "log/" + names[1]));
  REQUIRE(fixture.start() == std::nullopt);
  CHECK(fixture.queued() == ids);
  for (std::size_t i = 0; i < ids.size(); ++i)
    CHECK(fixture.content(ids[i]) == std::string(12'000, static_cast<char>('a' + static_cast<char>(i))));
}

TEST_CASE("recovery: a second file with a segment's header is set aside") {
  DamageFixture fixture;
  fixture.stop();
  auto copy = fixture.disk->create("log/copy");
  REQUIRE(write_all(**copy, fixture.disk->content(fixture.path), 0));
  REQUIRE(fixture.start() == std::nullopt);
  CHECK(fixture.intact() == 10);
  CHECK(fixture.spool->reports().size() == 1);
}

TEST_CASE("recovery: a file of a later format stops the daemon before it touches anything") {
  SpoolFixture fixture;
  REQUIRE(fixture.start() == std::nullopt);
  fixture.stop();
  std::string path = "log/" + fixture.disk->list("log")->front();
  std::string header = fixture.disk->content(path).substr(0, kSegmentHeader - 8);
  header[8] = 2;
  Encoder signature;
  signature.u64(checksum(header, 0));
  fixture.disk->corrupt(path, 0, header + signature.bytes());
  std::string other = "log/" + fixture.disk->list("log")->back();
  std::string before = fixture.disk->content(path) + fixture.disk->content(other);
  CHECK(fixture.start() == SpoolErrorKind::wrong_format);
  CHECK(fixture.disk->content(path) + fixture.disk->content(other) == before);
}

TEST_CASE("recovery: large bodies that no record names are removed, after the whole log was read") {
  SpoolFixture fixture;
  REQUIRE(fixture.start() == std::nullopt);
  auto kept = fixture.accept(std::string(100'000, 'x'));
  REQUIRE(fixture.disk->create("large/00000000000000ff"));
  REQUIRE(fixture.disk->create("large/not-ours"));
  fixture.restart();
  CHECK(*fixture.disk->list("large") == std::vector<std::string>{large_path(kept).substr(6), "not-ours"});
}

TEST_CASE(
    "recovery: the raw bytes of a whole segment inside a body forge nothing, even where the record is "
    "broken") {
  SpoolFixture fixture;
  fixture.options.segment_size = 1_MiB;
  REQUIRE(fixture.start() == std::nullopt);
  auto victim = fixture.accept("victim");
  std::string path = "log/" + fixture.disk->list("log")->front();
  std::string raw = fixture.disk->content(path).substr(0, 8192);
  auto carrier = fixture.accept(raw);
  auto last = fixture.accept("last");
  REQUIRE(fixture.finish(victim));
  // Breaks the carrier's own header: now its body lies bare to the scan.
  std::size_t body = fixture.disk->content(path).find(raw.substr(0, 512), 4096);
  fixture.disk->corrupt(path, body - 120, "????????");
  fixture.crash(std::nullopt);
  CHECK(fixture.queued() == std::vector{last});
  CHECK(fixture.read(carrier).error().kind == mail::SourceErrorKind::unknown_mail);
}

TEST_CASE("recovery: an unacknowledged record behind the last flush is dropped without a word") {
  int dropped = 0;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    SpoolFixture fixture;
    REQUIRE(fixture.start() == std::nullopt);
    auto kept = fixture.accept(std::string(3000, 'k'));
    fixture.disk->fail_at(test::DiskStep::flush, 1, std::errc::io_error, 100);
    CHECK_FALSE(fixture.try_accept(std::string(3000, 'u')));
    fixture.crash(seed);
    CHECK(fixture.spool->reports().empty());
    CHECK(fixture.content(kept) == std::string(3000, 'k'));
    if (fixture.queued().size() == 1) ++dropped;
  }
  CHECK(dropped > 0);
}

TEST_CASE("recovery: time that the clock cannot have spent does not count as waiting") {
  WallTime now(std::chrono::seconds(1'790'000'000));
  CHECK(counted_downtime(now - 10min, now) == 10min);
  CHECK(counted_downtime(now - std::chrono::days(29), now) == 1h);
  CHECK(counted_downtime(now - std::chrono::days(31), now) == 1h);
  CHECK(counted_downtime(now + 5min, now) == 0s);
  CHECK(counted_downtime(WallTime(), now) == 0s);
}

TEST_CASE("recovery: downtime runs from the newest record to the start") {
  SpoolFixture fixture;
  REQUIRE(fixture.start() == std::nullopt);
  CHECK(fixture.spool->downtime() == 0s);
  fixture.accept("x");
  fixture.stop();
  fixture.clock.advance(2h);
  REQUIRE(fixture.start() == std::nullopt);
  CHECK(fixture.spool->downtime() == 1h);
}

}  // namespace
}  // namespace hikyaku::spool
