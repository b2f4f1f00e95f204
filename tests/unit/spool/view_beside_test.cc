// SPDX-License-Identifier: MIT
// A reader beside a daemon that goes on writing, ends mails and reuses segments between any two reads.
#include <doctest/doctest.h>

#include <algorithm>

#include "daemon/base/random.h"
#include "spool/recovery.h"
#include "spool/segment_file.h"
#include "tests/unit/spool/view_fixture.h"

namespace hikyaku::spool {
namespace {

using mail::MailId;
using mail::SourceErrorKind;

std::string body_of(std::size_t i) { return "stays " + std::to_string(i) + std::string(2000, 's'); }

// Little mail that stays and much that passes, in small segments: the ring turns all the time.
struct BusyFixture : ViewFixture {
  std::vector<MailId> stay;
  MailId passing;

  BusyFixture() {
    for (std::size_t i = 0; i < 6; ++i) {
      stay.push_back(accept(body_of(i)));
      CHECK(record(stay.back(), deferred(1, "451 later")));
    }
    passing = accept(std::string(4000, 'p'));
    churn();
  }
  // The ring turns until every file that was there has been written over.
  void churn() {
    for (int i = 0; i < 6; ++i) reclaim_one();
  }
  void reclaim_one() {
    std::string oldest = used_segments().front();
    for (int i = 0; i < 60 && used_segments().front() == oldest; ++i) {
      MailId next = accept(std::string(4000, 'q'));
      REQUIRE(finish(passing));
      passing = next;
    }
    REQUIRE(used_segments().front() != oldest);
  }
  void check_all(View& view) {
    auto ids = view.ids();
    for (std::size_t i = 0; i < stay.size(); ++i) {
      CHECK(std::ranges::binary_search(ids, stay[i]));
      auto mail = view.load(stay[i]);
      REQUIRE(mail);
      CHECK(mail->mail.progress == deferred(1, "451 later"));
      CHECK(content_of(view, stay[i]).bytes == body_of(i));
    }
  }
};

// Calls `use` with a fresh fixture and a disk on which the fixture changes before one read, for each read.
template <class Fixture>
void at_every_read(const std::function<void(Fixture&, Disk&)>& use) {
  std::uint64_t reads = 1;
  for (std::uint64_t nth = 1; nth <= reads; ++nth) {
    CAPTURE(nth);
    Fixture fixture;
    WatchedDisk watched(*fixture.disk, [&](std::uint64_t read) {
      if (read == nth) fixture.churn();
    });
    use(fixture, watched);
    CHECK(watched.changes() == 0);
    reads = std::min<std::uint64_t>(watched.reads(), 200);
  }
  CHECK(reads > 20);
}

TEST_CASE("view: wherever segments are reused between two reads, mails that stay are shown as they are") {
  at_every_read<BusyFixture>([](BusyFixture& fixture, Disk& disk) {
    auto view = View::open(disk);
    REQUIRE(view);
    fixture.check_all(*view);
    for (const SegmentStatistics& segment : view->statistics()) CHECK(segment.damage.empty());
    CHECK(view->log().missing.empty());
  });
}

TEST_CASE("view: mails that end while the queue is gone through are simply not there") {
  ViewFixture fixture;
  for (int i = 0; i < 40; ++i) fixture.accept(std::string(4000, 'e'));
  auto view = View::open(*fixture.disk);
  REQUIRE(view);
  std::vector<MailId> ids = view->ids();
  REQUIRE(ids.size() == 40);
  for (MailId id : ids) CHECK(fixture.finish(id));
  for (int i = 0; i < 40; ++i) CHECK(fixture.finish(fixture.accept(std::string(4000, 'f'))));
  for (MailId id : ids) {
    auto mail = view->load(id);
    ContentSeen seen = content_of(*view, id);
    if (!mail) CHECK(mail.error().kind == SourceErrorKind::unknown_mail);
    if (seen.error) CHECK(seen.error == SourceErrorKind::unknown_mail);
  }
  CHECK(view->load(ids[0]).error().kind == SourceErrorKind::unknown_mail);
}

TEST_CASE("view: a large body that goes with its mail is no damage") {
  ViewFixture fixture;
  MailId id = fixture.accept(std::string(300'000, 'l'));
  auto view = View::open(*fixture.disk);
  REQUIRE(view);
  CHECK(fixture.finish(id));
  fixture.stop();  // the file goes behind the mail's back
  REQUIRE(!fixture.disk->open_for_reading(large_path(id)));
  CHECK(content_of(*view, id).error == SourceErrorKind::unknown_mail);
}

TEST_CASE("view: a segment that is reused at every look is an error, not an endless loop") {
  ViewFixture fixture;
  fixture.accept("mail");
  std::string path = fixture.newest_segment();
  fixture.stop();
  auto header = decode_segment_header(fixture.disk->content(path).substr(0, kSegmentHeader)).header;
  auto draw_key = [&](std::uint64_t) {
    fill_random(header.key);
    fixture.disk->corrupt(path, 0, encode_segment_header(header));
  };
  WatchedDisk watched(*fixture.disk, draw_key);
  auto view = View::open(watched);
  REQUIRE(!view);
  CHECK(view.error().kind == ViewErrorKind::always_changing);
}

// A segment that is read in several pieces.
struct LongFixture : ViewFixture {
  const std::string body = std::string(250'000, 'b');

  LongFixture() {
    stop();
    disk = std::make_unique<test::SimDisk>();
    options.segment_size = 4_MiB;
    options.memory = 8_MiB;
    REQUIRE(start() == std::nullopt);
    churn();
  }
  void churn() {
    for (int i = 0; i < 5; ++i) accept(body);
  }
};

TEST_CASE("view: a batch that is written while a long segment is scanned does not look like damage") {
  at_every_read<LongFixture>([](LongFixture& fixture, Disk& disk) {
    auto view = View::open(disk);
    REQUIRE(view);
    for (const SegmentStatistics& segment : view->statistics()) CHECK(segment.damage.empty());
    CHECK(view->ids().size() >= 5);
    for (MailId id : view->ids()) CHECK(content_of(*view, id).bytes == fixture.body);
  });
}

}  // namespace
}  // namespace hikyaku::spool
