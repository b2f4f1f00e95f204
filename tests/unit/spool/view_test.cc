// SPDX-License-Identifier: MIT
#include "spool/view.h"

#include <doctest/doctest.h>

#include "daemon/base/checksum.h"
#include "spool/codec.h"
#include "spool/payload.h"
#include "spool/recovery.h"
#include "tests/unit/spool/view_fixture.h"

namespace hikyaku::spool {
namespace {

using mail::MailId;
using mail::SourceErrorKind;

std::string numbered(std::size_t i, std::size_t size = 300) {
  return "message " + std::to_string(i) + std::string(size, static_cast<char>('a' + i % 26));
}

void check_first_three(ViewFixture& fixture, const std::vector<MailId>& ids) {
  fixture.look([&](View& view) {
    CHECK(view.ids() == ids);
    for (std::size_t i = 0; i < ids.size(); ++i) CHECK(content_of(view, ids[i]).bytes == numbered(i));
    auto touched = view.load(ids[1]);
    REQUIRE(touched);
    CHECK(touched->mail.envelope == some_envelope());
    CHECK(touched->mail.size == numbered(1).size());
    CHECK(touched->mail.progress == deferred(2, "450 later"));
    auto untouched = view.load(ids[2]);
    REQUIRE(untouched);
    CHECK(untouched->mail.progress.attempts == 0);
    CHECK(untouched->mail.progress.recipients.size() == 1);
  });
}

TEST_CASE("view: shows the queue beside a daemon, after a clean stop and after a kill") {
  ViewFixture fixture;
  std::vector<MailId> ids;
  for (std::size_t i = 0; i < 3; ++i) ids.push_back(fixture.accept(numbered(i)));
  MailId ended = fixture.accept("ended");
  CHECK(fixture.finish(ended));
  CHECK(fixture.record(ids[1], deferred(1, "451 later")));
  CHECK(fixture.record(ids[1], deferred(2, "450 later")));
  check_first_three(fixture, ids);
  fixture.look([&](View& view) {
    CHECK(view.load(ended).error().kind == SourceErrorKind::unknown_mail);
    CHECK(content_of(view, ended).error == SourceErrorKind::unknown_mail);
  });
  fixture.crash(std::nullopt);
  check_first_three(fixture, ids);
  fixture.stop();
  check_first_three(fixture, ids);
}

TEST_CASE("view: knows when a state was written, and all states that still stand in the log") {
  ViewFixture fixture;
  MailId other = fixture.accept("other");
  MailId id = fixture.accept("mail");
  WallTime accepted = fixture.clock.wall();
  fixture.look([&](View& view) { CHECK(view.load(id)->written == accepted); });
  fixture.clock.advance(5s);
  CHECK(fixture.record(id, deferred(1, "451 first")));
  CHECK(fixture.record(other, deferred(1, "451 other")));
  fixture.clock.advance(60s);
  CHECK(fixture.record(id, deferred(2, "451 second")));
  fixture.look([&](View& view) { CHECK(view.load(id)->written == accepted + 65s); });
  fixture.look(
      [&](View& view) {
        CHECK(view.ids() == std::vector<MailId>{id});
        auto history = view.history();
        REQUIRE(history.size() == 2);
        CHECK(history[0].written == accepted + 5s);
        CHECK(history[0].progress == deferred(1, "451 first"));
        CHECK(history[1].progress == deferred(2, "451 second"));
      },
      id);
}

TEST_CASE("view: a large body is shown only if all of it is intact") {
  ViewFixture fixture;
  std::string body = numbered(7, 300'000);
  MailId id = fixture.accept(body);
  fixture.look([&](View& view) {
    CHECK(view.has_large_body(id));
    CHECK(content_of(view, id).bytes == body);
    CHECK(view.verify_content(id));
  });
  fixture.flip(large_path(id), 299'999);
  fixture.look([&](View& view) {
    ContentSeen seen = content_of(view, id);
    CHECK(seen.error == SourceErrorKind::damaged);
    CHECK(seen.bytes.empty());
  });
  REQUIRE(fixture.disk->unlink(large_path(id)));
  fixture.look([&](View& view) { CHECK(content_of(view, id).error == SourceErrorKind::damaged); });
}

TEST_CASE("view: a large body that changes between verification and reading ends as damaged, and once") {
  ViewFixture fixture;
  std::string body = numbered(7, 3'000'000);
  MailId id = fixture.accept(body);
  WatchedDisk watched(*fixture.disk);
  auto view = View::open(watched);
  REQUIRE(view);
  std::string got;
  auto read = view->read_content(id, [&](std::string_view piece) {
    if (got.empty()) fixture.flip(large_path(id), body.size() - 1);
    got += piece;
    return true;
  });
  REQUIRE(!read);
  CHECK(read.error().kind == SourceErrorKind::damaged);
  CHECK(got.size() == body.size());
}

TEST_CASE("view: a damaged message is never handed out, the others are") {
  ViewFixture fixture;
  MailId hit = fixture.accept(numbered(1));
  MailId whole = fixture.accept(numbered(2));
  std::string path = fixture.newest_segment();
  fixture.stop();  // a footer hides the damage from all but those who read the record
  fixture.flip(path, fixture.disk->content(path).find(numbered(1)) + 100);
  fixture.look([&](View& view) {
    CHECK(view.ids() == std::vector<MailId>{hit, whole});
    CHECK(view.load(hit));  // the envelope is intact
    ContentSeen seen = content_of(view, hit);
    CHECK(seen.error == SourceErrorKind::damaged);
    CHECK(seen.bytes.empty());
    CHECK(content_of(view, whole).bytes == numbered(2));
  });
  fixture.flip(path, fixture.disk->content(path).find("app@example.com"));
  fixture.look([&](View& view) { CHECK(view.load(hit).error().kind == SourceErrorKind::damaged); });
}

TEST_CASE("view: damage in a segment without a footer is told, with the mail it hit") {
  ViewFixture fixture;
  MailId hit = fixture.accept(numbered(1));
  MailId whole = fixture.accept(numbered(2));
  std::string path = fixture.newest_segment();
  fixture.flip(path, fixture.disk->content(path).find(numbered(1)) + 100);
  fixture.look([&](View& view) {
    CHECK(view.ids() == std::vector<MailId>{whole});
    auto segments = view.statistics();
    REQUIRE(!segments.empty());
    CHECK(segments.back().path == path);
    CHECK(!segments.back().has_footer);
    REQUIRE(segments.back().damage.size() == 1);
    CHECK(segments.back().damage[0].id == hit);
  });
}

TEST_CASE("view: what is half written behind the last flush is no damage") {
  ViewFixture fixture;
  MailId id = fixture.accept(numbered(1));
  std::string path = fixture.newest_segment();
  std::uint64_t end = fixture.disk->content(path).find(numbered(1)) + numbered(1).size();
  fixture.disk->corrupt(path, end + 64, "the beginning of something");
  fixture.look([&](View& view) {
    CHECK(view.ids() == std::vector<MailId>{id});
    for (const SegmentStatistics& segment : view.statistics()) CHECK(segment.damage.empty());
  });
}

TEST_CASE("view: records are counted, and their bytes are alive or dead") {
  ViewFixture fixture;
  MailId lives = fixture.accept(numbered(1));
  CHECK(fixture.record(lives, deferred(1, "451 later")));
  CHECK(fixture.record(lives, deferred(2, "451 later")));
  CHECK(fixture.finish(fixture.accept(numbered(2))));
  fixture.look([&](View& view) {
    SegmentStatistics segment = view.statistics().back();
    std::uint64_t message =
        record_length(encode_message_head({{}, some_envelope()}).size(), numbered(1).size());
    std::uint64_t progress = record_length(encode_progress(deferred(1, "451 later"), 4096).size(), 0);
    CHECK(segment.records == 5);
    CHECK(segment.live_bytes == message + progress);
    CHECK(segment.dead_bytes == message + progress + kRecordHeader);
  });
}

TEST_CASE("view: a directory without a spool, and a later format, are told as such") {
  test::SimDisk empty;
  CHECK(View::open(empty).error().kind == ViewErrorKind::missing);
  ViewFixture fixture;
  fixture.accept("mail");
  std::string path = fixture.newest_segment();
  fixture.stop();
  std::string header = fixture.disk->content(path).substr(0, kSegmentHeader);
  header[8] = 2;
  Encoder sum;
  sum.u64(checksum(header.substr(0, kSegmentHeader - 8), 0));
  fixture.disk->corrupt(path, 0, header.replace(kSegmentHeader - 8, 8, sum.bytes()));
  CHECK(View::open(*fixture.disk).error().kind == ViewErrorKind::later_format);
}

}  // namespace
}  // namespace hikyaku::spool
