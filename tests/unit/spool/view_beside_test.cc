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

// A spool of several small segments with a few mails that stay, all over it.
struct BusyFixture : ViewFixture {
  std::vector<MailId> stay;
  std::vector<MailId> passing;

  BusyFixture() {
    for (std::size_t i = 0; i < 12; ++i) {
      stay.push_back(accept(body_of(i)));
      CHECK(record(stay.back(), deferred(1, "451 later")));
      for (int k = 0; k < 4; ++k) passing.push_back(accept(std::string(4000, 'p')));
    }
  }
  // A segment's worth of mail comes, and the oldest of what passes goes: segments are reclaimed.
  void churn() {
    for (int i = 0; i < 20; ++i) {
      passing.push_back(accept(std::string(4000, 'q')));
      REQUIRE(finish(passing.front()));
      passing.erase(passing.begin());
    }
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

TEST_CASE("view: wherever segments are reused between two reads, mails that stay are shown as they are") {
  std::uint64_t reads = 0;
  {
    BusyFixture fixture;
    WatchedDisk watched(*fixture.disk);
    auto view = View::open(watched);
    REQUIRE(view);
    fixture.check_all(*view);
    reads = watched.reads();
  }
  REQUIRE(reads > 50);
  for (std::uint64_t nth = 1; nth <= reads; nth += 3) {
    CAPTURE(nth);
    BusyFixture fixture;
    auto churn_once = [&](std::uint64_t read) {
      if (read == nth) fixture.churn();
    };
    WatchedDisk watched(*fixture.disk, churn_once);
    auto view = View::open(watched);
    REQUIRE(view);
    fixture.check_all(*view);
    for (const SegmentStatistics& segment : view->statistics()) CHECK(segment.damage.empty());
    CHECK(watched.changes() == 0);
  }
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

TEST_CASE("view: a batch that is written while a long segment is scanned does not look like damage") {
  ViewFixture fixture;
  fixture.stop();
  fixture.disk = std::make_unique<test::SimDisk>();
  fixture.options.segment_size = 4_MiB;
  fixture.options.memory = 8_MiB;
  REQUIRE(fixture.start() == std::nullopt);
  std::string body(250'000, 'b');
  std::vector<MailId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(fixture.accept(body));
  int looks = 0;
  auto add = [&](std::uint64_t read) {
    if (read % 3 == 0 && ++looks < 8) fixture.accept(body);
  };
  for (int round = 0; round < 3; ++round) {
    looks = round;
    WatchedDisk watched(*fixture.disk, add);
    auto view = View::open(watched);
    REQUIRE(view);
    for (const SegmentStatistics& segment : view->statistics()) CHECK(segment.damage.empty());
    for (MailId id : ids) CHECK(content_of(*view, id).bytes == body);
  }
}

}  // namespace
}  // namespace hikyaku::spool
