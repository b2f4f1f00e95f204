// SPDX-License-Identifier: MIT
// Every bit, every length: what damage costs, and that it costs no more.
#include "spool/damage.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "spool/quarantine.h"
#include "spool/recovery.h"
#include "tests/support/disk/segment_image.h"
#include "tests/support/given_mail.h"

namespace hikyaku::spool {
namespace {

using test::Given;
using test::ImageKind;
using test::ImageMail;
using test::ImageRecord;
using test::MemoryDisk;
using test::SpoolImage;

SpoolOptions small_segments() {
  return {.min_free = {0},
          .segment_size = {SpoolImage::kSize},
          .memory = 1_MiB,
          .committer = CommitterMode::inline_on_loop};
}

class AfterDamage {
 public:
  explicit AfterDamage(Disk& disk) : disk_(disk) {
    auto recovered = recover(disk, small_segments());
    REQUIRE(recovered);
    recovered_ = std::move(*recovered);
  }
  void tidy() { tidy_up(disk_, recovered_); }
  Given give(const ImageMail& mail) const { return test::give(disk_, recovered_.index, mail); }
  const std::vector<DamageReport>& reports() const { return recovered_.reports; }

 private:
  Disk& disk_;
  Recovered recovered_;
};

const std::string kVictim = segment_path(SpoolImage::kVictim);

std::string flipped(std::string bytes, std::uint64_t bit) {
  bytes[bit / 8] ^= static_cast<char>(1U << (bit % 8));
  return bytes;
}

// What is expected of the mails of an image when one record, or none, is damaged.
class Expectation {
 public:
  Expectation(const SpoolImage& image, ImageKind kind) : image_(image), kind_(kind) {}

  // Empty, or what is wrong. `hit` is null where no record is damaged.
  std::string judge(const AfterDamage& after, const ImageRecord* hit) const {
    for (std::size_t i = 0; i < image_.mails.size(); ++i) {
      Given given = after.give(image_.mails[i]);
      if (given != expected(i, hit)) return "mail " + std::to_string(i) + " is " + std::to_string(int(given));
    }
    return judge_reports(after, hit);
  }

 private:
  Given expected(std::size_t index, const ImageRecord* hit) const {
    bool is_hit = hit != nullptr && hit->mail == index;
    const ImageMail& mail = image_.mails[index];
    // With a footer the damage is found when somebody reads.
    if (kind_ == ImageKind::closed) {
      if (mail.is_finished) return Given::nothing;
      return is_hit && (hit->type == RecordType::message || is_newest(*hit)) ? Given::damaged : Given::right;
    }
    if (mail.is_finished) return is_hit && hit->type == RecordType::done ? Given::right : Given::nothing;
    if (!is_hit) return Given::right;
    if (hit->type == RecordType::message) return Given::nothing;
    return is_newest(*hit) ? Given::older : Given::right;
  }

  bool is_newest(const ImageRecord& progress) const {
    return progress.type == RecordType::progress &&
           progress.state + 1 == image_.mails[progress.mail].states.size();
  }

  std::string judge_reports(const AfterDamage& after, const ImageRecord* hit) const {
    // The last record was never said to be flushed: nobody can tell its damage from a power cut.
    bool is_silent = hit == nullptr || kind_ == ImageKind::closed || hit == &image_.records.back();
    std::size_t bodies = 0;
    if (!is_silent && hit->type == RecordType::message && image_.mails[hit->mail].is_large) bodies = 1;
    if (after.reports().size() != (is_silent ? 0 : 1 + bodies))
      return std::to_string(after.reports().size()) + " reports";
    return is_silent ? "" : judge_report(after.reports().front(), *hit);
  }

  std::string judge_report(const DamageReport& report, const ImageRecord& hit) const {
    const ImageMail& mail = image_.mails[hit.mail];
    bool is_known = report.record && report.record->id == mail.id && report.record->type == hit.type;
    bool has_envelope = report.record && report.record->envelope == mail.head.envelope;
    bool wants_envelope = hit.type == RecordType::message && report.record->broken != BrokenPart::head;
    if (!is_known || wants_envelope != has_envelope) return "not told: " + to_line(report);
    if (report.loss != expected_loss(hit)) return "misjudged: " + to_line(report);
    return report.copy == Copy::made ? "" : "no copy: " + to_line(report);
  }

  Loss expected_loss(const ImageRecord& hit) const {
    if (hit.type == RecordType::done) return Loss::end;
    if (hit.type == RecordType::progress) return is_newest(hit) ? Loss::progress : Loss::nothing;
    return image_.mails[hit.mail].is_finished ? Loss::nothing : Loss::mail;
  }

  const SpoolImage& image_;
  ImageKind kind_;
};

const ImageRecord* record_at(const SpoolImage& image, std::uint64_t offset) {
  auto hit = std::ranges::find_if(image.records, [&](const ImageRecord& record) {
    return offset >= record.begin && offset < record.end;
  });
  return hit == image.records.end() ? nullptr : &*hit;
}

bool is_in_use(const SpoolImage& image, ImageKind kind, std::uint64_t offset) {
  if (offset >= kBlock && offset < image.records.back().end) return true;
  if (kind == ImageKind::closed) return offset >= image.footer_begin && offset < SpoolImage::kSize - kBlock;
  bool is_header =
      (offset < kBlock || offset >= SpoolImage::kSize - kBlock) && offset % kBlock < kSegmentHeader;
  return kind == ImageKind::killed && is_header;
}

// Every bit that is in use (or every third: tests/CMakeLists.txt); of the rest, which is zeros or old records, one in about a thousand.
void flip_every_bit(ImageKind kind) {
  SpoolImage image(kind);
  Expectation expectation(image, kind);
  const std::string bytes = image.disk.bytes(kVictim);
  for (std::uint64_t bit = 0; bit < SpoolImage::kSize * 8;
       bit += is_in_use(image, kind, bit / 8) ? HIKYAKU_DAMAGE_STEP : 1009) {
    MemoryDisk disk(image.disk);
    disk.put(kVictim, flipped(bytes, bit));
    AfterDamage after(disk);
    std::string wrong = expectation.judge(after, record_at(image, bit / 8));
    INFO("bit " << bit % 8 << " of byte " << bit / 8);
    REQUIRE(wrong == "");
  }
}

TEST_CASE("damage: any flipped bit of a segment with a footer is found when its record is read") {
  flip_every_bit(ImageKind::closed);
}

TEST_CASE("damage: any flipped bit of a segment without a footer costs its record, which is told") {
  flip_every_bit(ImageKind::killed);
}

TEST_CASE("damage: any flipped bit of a recycled segment brings nothing old to life") {
  flip_every_bit(ImageKind::recycled);
}

// The records about a mail that are in the segment stand before the cut.
bool is_before(const SpoolImage& image, std::size_t mail, std::uint64_t length) {
  return std::ranges::all_of(image.records, [&](const ImageRecord& record) {
    return record.mail != mail || (length > kSegmentHeader && record.end <= length);
  });
}

// What stands before the cut is there, what is behind it is not known and so reported.
std::string judge_cut(const SpoolImage& image, const AfterDamage& after, std::uint64_t length, bool costs) {
  for (std::size_t i = 0; i < image.mails.size(); ++i) {
    const ImageMail& mail = image.mails[i];
    Given given = after.give(mail);
    if (given == Given::wrong || given == Given::damaged) return "mail " + std::to_string(i) + " is changed";
    Given wanted = mail.is_finished ? Given::nothing : Given::right;
    if (is_before(image, i, length) && given != wanted) return "mail " + std::to_string(i) + " is lost";
  }
  bool is_told = std::ranges::any_of(after.reports(), [](const DamageReport& report) {
    return report.file == kVictim && report.copy == Copy::made;
  });
  return is_told == costs ? "" : "it is not told";
}

void cut_off_everywhere(ImageKind kind) {
  SpoolImage image(kind);
  const std::string bytes = image.disk.bytes(kVictim);
  for (std::uint64_t length = 0; length <= SpoolImage::kSize; length += HIKYAKU_DAMAGE_STEP) {
    if (length > image.records.back().end && length < image.footer_begin) length += 36;
    MemoryDisk disk(image.disk);
    disk.put(kVictim, bytes.substr(0, length));
    AfterDamage after(disk);
    after.tidy();
    INFO("cut off behind " << length);
    // A footer that is still there says that nothing is lost.
    bool costs = length < (kind == ImageKind::closed ? footer_end(SpoolImage::kSize) : SpoolImage::kSize);
    REQUIRE(judge_cut(image, after, length, costs) == "");
  }
}

TEST_CASE("damage: of a segment that is cut off anywhere all is left that stands before the cut") {
  cut_off_everywhere(ImageKind::closed);
  cut_off_everywhere(ImageKind::recycled);
}

TEST_CASE("damage: a missing segment is told from a reclaimed one, and costs its own records") {
  SpoolImage image(ImageKind::killed);
  image.disk.remove(segment_path(SpoolImage::kOlder));
  AfterDamage after(image.disk);
  REQUIRE(after.reports().size() == 1);
  CHECK(
      to_line(after.reports()[0]) ==
      "spool damage: log/0000000000000029 is missing: mail that waited there is lost, mail that ended there "
      "may be sent again");
  for (std::size_t i = 3; i < image.mails.size(); ++i)
    CHECK(after.give(image.mails[i]) == (image.mails[i].is_finished ? Given::nothing : Given::right));
}

// The worst that a sender could know: the whole file of a closed segment, of this spool, with the very key
// and number of the segment that its message comes to stand in.
TEST_CASE("damage: a whole segment inside a body forges nothing when the record around it is broken") {
  SpoolImage image(ImageKind::closed);
  const std::string inner = image.disk.bytes(kVictim);
  SegmentHeader header = decode_segment_header(inner).header;
  header.closed.clear();
  header.oldest = header.number;
  header.size = std::uint64_t{1} << 20;
  for (std::size_t shift = 0; shift < kRecordAlign; ++shift) {
    test::SegmentImage segment(header, std::string(header.size, '\0'));
    RecordHeader record;
    record.type = RecordType::message;
    record.id = {7};
    std::string head = encode_message_head({.arrival = {}, .envelope = {}});
    std::uint64_t carrier = segment.add(record, head, std::string(shift, ' ') + inner);
    record.id = {8};
    segment.add(record, head, "last");
    MemoryDisk disk;
    for (const char* name : {"log", "large"}) REQUIRE(disk.make_directory(name));
    disk.put(kVictim, flipped(segment.bytes(), (carrier + 1) * 8));
    auto recovered = recover(disk, small_segments());
    REQUIRE(recovered);
    CHECK(recovered->index.size() == 1);
    CHECK(recovered->index.find({8}) != nullptr);
    CHECK(recovered->reports.size() == 1);
  }
}

std::vector<std::string> lines(const AfterDamage& after) {
  std::vector<std::string> all;
  for (const DamageReport& report : after.reports()) all.push_back(to_line(report));
  return all;
}

TEST_CASE("damage: a segment of another spool is set aside, whatever its number; nothing in it counts") {
  SpoolImage image(ImageKind::killed);
  DecodedHeader header = decode_segment_header(image.disk.bytes(kVictim));
  REQUIRE(header.verdict == HeaderVerdict::ok);
  header.header.spool.fill(7);
  std::string foreign = image.disk.bytes(kVictim);
  for (std::uint64_t at : {std::uint64_t{0}, SpoolImage::kSize - kBlock})
    foreign.replace(at, kSegmentHeader, encode_segment_header(header.header));
  // It has taken the name of one of ours.
  std::string older = segment_path(SpoolImage::kOlder);
  image.disk.put("log/0000000000000099", image.disk.bytes(older));
  image.disk.put(older, foreign);
  AfterDamage after(image.disk);
  REQUIRE(lines(after) ==
          std::vector<std::string>{"spool damage: " + older +
                                   " belongs to another spool and is set aside; a copy is in corrupt/"});
  for (const ImageMail& mail : image.mails)
    CHECK(after.give(mail) == (mail.is_finished ? Given::nothing : Given::right));
  CHECK(image.disk.bytes("corrupt/log-0000000000000029") == foreign);
}

TEST_CASE("damage: on a full disk a start goes on, keeps what it cannot copy, and tries again") {
  SpoolImage image(ImageKind::killed);
  const std::string bytes = image.disk.bytes(kVictim);
  image.disk.put(kVictim, flipped(bytes, (image.records[0].begin + 20) * 8));
  image.disk.put("log/0000000000000099", "no segment");
  image.disk.set_full(true);
  for (int start = 0; start < 2; ++start) {
    AfterDamage after(image.disk);
    after.tidy();
    REQUIRE(after.reports().size() == 2);
    for (const DamageReport& report : after.reports()) CHECK(report.copy == Copy::failed);
    CHECK(image.disk.bytes("log/0000000000000099.bad") == "no segment");
  }
  image.disk.set_full(false);
  AfterDamage after(image.disk);
  after.tidy();
  for (const DamageReport& report : after.reports()) CHECK(report.copy == Copy::made);
  CHECK(image.disk.list("corrupt")->size() == 2);
  CHECK(AfterDamage(image.disk).reports().empty());
}

TEST_CASE("damage: the same is copied once, another content beside it, and no more than a limit") {
  MemoryDisk disk;
  disk.put("log/x", "one");
  for (int i = 0; i < 3; ++i) REQUIRE(keep_copy(disk, "log/x", 0));
  disk.put("log/x", "two");
  REQUIRE(keep_copy(disk, "log/x", 0));
  CHECK(*disk.list("corrupt") == std::vector<std::string>{"log-x", "log-x.2"});
  for (std::size_t i = 0; i < 2 * kMaxCopies; ++i) {
    disk.put("log/x", std::to_string(i));
    (void)keep_copy(disk, "log/x", 0);
  }
  CHECK(disk.list("corrupt")->size() == kMaxCopies);
}

TEST_CASE("damage: directories and empty files in log/ hinder nothing") {
  SpoolImage image(ImageKind::closed);
  REQUIRE(image.disk.make_directory("log/000000000000002c"));
  image.disk.put("log/empty", "");
  AfterDamage after(image.disk);
  CHECK(after.reports().size() == 2);
  for (const ImageMail& mail : image.mails)
    CHECK(after.give(mail) == (mail.is_finished ? Given::nothing : Given::right));
}

TEST_CASE("damage: a line is printable whatever the bytes were, and does not grow with the recipients") {
  DamageReport report;
  report.file = "log/bad\nname";
  report.reason = "is damaged";
  report.loss = Loss::mail;
  report.record = LostRecord{};
  report.record->envelope.emplace();
  report.record->envelope->sender = "a\r\n@b";
  report.record->envelope->recipients.resize(5000, {.address = "c@d", .notify = {}, .orcpt = {}});
  std::string line = to_line(report);
  CHECK(line.find_first_of("\r\n") == std::string::npos);
  CHECK(line.size() < 2000);
  CHECK(line.find("and 4980 others") != std::string::npos);
}

}  // namespace
}  // namespace hikyaku::spool
