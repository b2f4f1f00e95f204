// SPDX-License-Identifier: MIT
// What a reader makes of copied messages, of spare segments and of such as are missing or there twice.
#include <doctest/doctest.h>

#include "spool/payload.h"
#include "tests/unit/spool/hand_made.h"
#include "tests/unit/spool/view_fixture.h"

namespace hikyaku::spool {
namespace {

using mail::MailId;

constexpr MailId kId{7};
const WallTime kStart{std::chrono::seconds(1'790'000'000)};

struct CopiesFixture {
  test::SimDisk disk;
  HandMadeLog log{disk};

  static RecordHeader at(RecordType type, Duration later) {
    RecordHeader header;
    header.type = type;
    header.id = kId;
    header.wall = kStart + later;
    return header;
  }
  void message(Duration later) {
    log.add(at(RecordType::message, later), encode_message_head({kStart, some_envelope()}), "content");
  }
  void progress(std::uint32_t attempts, Duration later) {
    log.add(at(RecordType::progress, later), encode_progress(deferred(attempts, "451 later"), 4096));
  }
  void copy(std::uint32_t attempts, Duration later) {
    RecordHeader header = at(RecordType::message, later);
    header.folded = true;
    std::string head = encode_message_head({kStart, some_envelope()});
    head += encode_progress(deferred(attempts, "451 later"), 4096);
    log.add(header, head, "content");
  }
  View view(std::optional<MailId> only = std::nullopt) {
    auto opened = View::open(disk, only);
    REQUIRE(opened);
    return std::move(*opened);
  }
};

TEST_CASE("view: a copied message has the progress that is folded into it") {
  CopiesFixture fixture;
  fixture.log.segment(1);
  fixture.message(0s);
  fixture.progress(1, 1s);
  fixture.log.segment(2);
  fixture.copy(1, 10s);
  View view = fixture.view();
  auto mail = view.load(kId);
  REQUIRE(mail);
  CHECK(mail->mail.arrival == kStart);
  CHECK(mail->mail.progress == deferred(1, "451 later"));
  CHECK(content_of(view, kId).bytes == "content");
  CHECK(view.statistics()[0].live_bytes == 0);
  CHECK(view.statistics()[1].dead_bytes == 0);
}

TEST_CASE("view: progress behind a copy is newer than what is folded into it") {
  CopiesFixture fixture;
  fixture.log.segment(1);
  fixture.copy(1, 10s);
  fixture.progress(2, 20s);
  CHECK(fixture.view().load(kId)->mail.progress.attempts == 2);
  CHECK(fixture.view().load(kId)->written == kStart + 20s);
}

TEST_CASE(
    "view: the history has what is folded into copies, and what stands in the log of a mail once ended "
    "has not") {
  CopiesFixture fixture;
  fixture.log.segment(3);
  fixture.copy(2, 10s);
  fixture.progress(3, 20s);
  fixture.log.segment(4);
  fixture.copy(3, 30s);
  std::vector<std::uint32_t> attempts;
  for (const PastProgress& past : fixture.view(kId).history()) attempts.push_back(past.progress.attempts);
  CHECK(attempts == std::vector<std::uint32_t>{2, 3, 3});
  fixture.log.add(CopiesFixture::at(RecordType::done, 40s), "");
  CHECK(fixture.view(kId).ids().empty());
  CHECK(fixture.view(kId).load(kId).error().kind == mail::SourceErrorKind::unknown_mail);
}

TEST_CASE("view: nothing in a free or prepared segment counts") {
  CopiesFixture fixture;
  fixture.log.segment(1, SegmentState::free);
  fixture.message(0s);
  fixture.log.segment(2);
  fixture.log.segment(3, SegmentState::prepared);
  fixture.message(0s);
  View view = fixture.view();
  CHECK(view.ids().empty());
  CHECK(view.log().in_use.size() == 1);
  CHECK(view.log().spare.size() == 2);
}

TEST_CASE("view: a segment is missed if a later one knows it, unless it was reclaimed") {
  CopiesFixture fixture;
  const std::vector<ClosedSegment> closed = {{2, 5000, 5000}, {3, 5000, 5000}, {4, 5000, 5000}};
  fixture.log.segment(4, SegmentState::in_use, {}, 2);
  fixture.log.segment(5, SegmentState::in_use, closed, 3);
  CHECK(fixture.view().log().missing == std::vector<SegmentNumber>{3});
  fixture.log.segment(6, SegmentState::prepared, {}, 4);
  CHECK(fixture.view().log().missing.empty());
}

TEST_CASE("view: of two files with one number that with the right name counts") {
  CopiesFixture fixture;
  fixture.log.segment(1);
  fixture.message(0s);
  std::string bytes = fixture.disk.content(segment_path(1));
  auto copy = fixture.disk.create("log/0000000000000000");
  REQUIRE(copy);
  REQUIRE(write_all(**copy, bytes, 0));
  View view = fixture.view();
  CHECK(view.ids() == std::vector<MailId>{kId});
  REQUIRE(view.log().aliens.size() == 1);
  CHECK(view.log().aliens[0].path == "log/0000000000000000");
  REQUIRE(fixture.disk.unlink(segment_path(1)));
  View misnamed = fixture.view();
  CHECK(content_of(misnamed, kId).bytes == "content");
  CHECK(misnamed.log().aliens.empty());
}

TEST_CASE("view: a segment of another spool is no part of this one") {
  CopiesFixture fixture;
  fixture.log.segment(1);
  fixture.message(0s);
  fixture.log.segment(2);
  fixture.log.segment(3, SegmentState::in_use, {{1, 5000, 5000}, {2, 5000, 5000}}, 1, 77);
  fixture.log.add(CopiesFixture::at(RecordType::done, 0s), "");
  View view = fixture.view();
  CHECK(view.ids() == std::vector<MailId>{kId});
  REQUIRE(view.log().aliens.size() == 1);
  CHECK(view.log().aliens[0].path == segment_path(3));
  CHECK(view.log().missing.empty());
}

}  // namespace
}  // namespace hikyaku::spool
