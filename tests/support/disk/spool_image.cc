// SPDX-License-Identifier: MIT
#include "tests/support/disk/spool_image.h"

#include "daemon/base/checksum.h"
#include "spool/recovery.h"
#include "tests/support/disk/segment_image.h"

namespace hikyaku::test {
namespace {

using namespace spool;

constexpr std::size_t kNoLimit = std::size_t{1} << 20;

SegmentHeader header_of(SegmentNumber number, SegmentState state) {
  SegmentHeader header;
  header.state = state;
  header.number = number;
  header.key.fill(static_cast<std::uint8_t>(number));
  header.size = SpoolImage::kSize;
  header.spool.fill(0x5a);
  header.highest_id = {1000};
  header.oldest = SpoolImage::kOlder;
  header.created = WallTime(std::chrono::seconds(1'790'000'000 + static_cast<std::int64_t>(number)));
  return header;
}

std::string zeros() { return std::string(SpoolImage::kSize, '\0'); }

mail::Progress state_of(std::size_t recipients, std::uint32_t attempts) {
  mail::Progress progress;
  progress.recipients.resize(recipients);
  progress.attempts = attempts;
  if (attempts == 0) return progress;
  progress.next_wait = std::chrono::minutes(attempts);
  progress.reason = "451 4.3.0 later";
  progress.smarthost = "hub";
  progress.recipients[0] = {mail::RecipientState::delivered, "250 2.0.0 ok"};
  return progress;
}

class Maker {
 public:
  explicit Maker(SpoolImage& image) : image_(image) {}

  std::size_t invent(std::string content, std::size_t recipients = 2) {
    std::size_t index = image_.mails.size();
    std::string number = std::to_string(index);
    ImageMail& mail = image_.mails.emplace_back();
    mail.id = {1000 + index};
    mail.head.arrival = WallTime(std::chrono::seconds(1'790'000'000));
    mail.head.envelope.sender = "app" + number + "@example.com";
    for (std::size_t i = 0; i < recipients; ++i)
      mail.head.envelope.recipients.push_back(
          {.address = "user" + std::to_string(i) + "@example.net", .notify = {}, .orcpt = {}});
    mail.content = "Subject: mail " + number + "\r\n\r\n" + std::move(content);
    mail.states = {state_of(recipients, 0)};
    return index;
  }

  void message(SegmentImage& segment, std::size_t index) {
    const ImageMail& mail = image_.mails[index];
    add(segment, index, record(index, RecordType::message), encode_message_head(mail.head), mail.content);
  }
  void large_message(SegmentImage& segment, std::size_t index) {
    ImageMail& mail = image_.mails[index];
    mail.is_large = true;
    image_.disk.put(large_path(mail.id), mail.content);
    RecordHeader header = record(index, RecordType::message);
    header.large = true;
    header.content_length = mail.content.size();
    header.content_checksum = checksum(mail.content, large_seed(mail.id));
    add(segment, index, header, encode_message_head(mail.head), "");
  }
  void copied_message(SegmentImage& segment, std::size_t index) {
    ImageMail& mail = image_.mails[index];
    mail.states = {state_of(mail.states[0].recipients.size(), 3)};
    RecordHeader header = record(index, RecordType::message);
    header.folded = true;
    std::string progress = encode_progress(mail.states.back(), kNoLimit);
    add(segment, index, header, encode_message_head(mail.head) + progress, mail.content);
  }
  void progress(SegmentImage& segment, std::size_t index) {
    ImageMail& mail = image_.mails[index];
    auto attempts = static_cast<std::uint32_t>(mail.states.size());
    mail.states.push_back(state_of(mail.states[0].recipients.size(), attempts));
    add(segment, index, record(index, RecordType::progress), encode_progress(mail.states.back(), kNoLimit),
        "");
  }
  void done(SegmentImage& segment, std::size_t index) {
    image_.mails[index].is_finished = true;
    add(segment, index, record(index, RecordType::done), "", "");
  }

 private:
  RecordHeader record(std::size_t index, RecordType type) const {
    RecordHeader header;
    header.type = type;
    header.id = image_.mails[index].id;
    header.wall = WallTime(std::chrono::seconds(1'790'001'000));
    return header;
  }

  void add(SegmentImage& segment, std::size_t index, const RecordHeader& header, std::string_view head,
           std::string_view content) {
    std::uint64_t begin = segment.add(header, head, content);
    if (segment.header().number != SpoolImage::kVictim) return;
    std::uint64_t end = begin + kRecordHeader + head.size() + content.size();
    image_.records.push_back({begin, end, header.type, index, image_.mails[index].states.size() - 1});
  }

  SpoolImage& image_;
};

// What stood in the file at an earlier use: true records under another key, of mails that nobody knows now.
std::string old_records() {
  SegmentHeader header = header_of(7, SegmentState::in_use);
  header.highest_id = {500};
  SegmentImage segment(header, zeros());
  RecordHeader record;
  record.type = RecordType::message;
  mail::Envelope envelope;
  envelope.sender = "old@example.com";
  envelope.recipients = {{.address = "old@example.net", .notify = {}, .orcpt = {}}};
  std::string head = encode_message_head({WallTime(), envelope});
  for (record.id = {300}; segment.end() < 24'000; ++record.id.value)
    segment.add(record, head, std::string(300 + record.id.value % 7, 'o'));
  segment.close();
  return segment.bytes();
}

}  // namespace

SpoolImage::SpoolImage(ImageKind kind) {
  for (const char* name : {"log", "large"}) (void)disk.make_directory(name);
  Maker maker(*this);
  SegmentImage older(header_of(kOlder, SegmentState::in_use), zeros());
  std::size_t waiting = maker.invent("waits in the older segment");
  std::size_t ended = maker.invent("ends in the younger segment");
  std::size_t moved = maker.invent("is tried in the younger segment");
  for (std::size_t mail : {waiting, ended, moved}) maker.message(older, mail);
  older.close();

  SegmentHeader header = header_of(kVictim, SegmentState::in_use);
  header.closed = {older.closed()};
  SegmentImage victim(header, kind == ImageKind::recycled ? old_records() : zeros());
  std::size_t plain = maker.invent("is plain");
  std::size_t copied = maker.invent("is a copy");
  std::size_t large = maker.invent(std::string(20'000, 'l'), 1);
  std::size_t brief = maker.invent("comes and goes");
  maker.message(victim, plain);
  maker.progress(victim, moved);
  maker.done(victim, ended);
  maker.copied_message(victim, copied);
  maker.progress(victim, plain);
  maker.large_message(victim, large);
  maker.progress(victim, plain);
  maker.message(victim, brief);
  maker.done(victim, brief);
  // A body of the segment's own bytes: header, records, and all.
  std::size_t forger =
      maker.invent(victim.bytes().substr(0, 600) + victim.bytes().substr(records_begin(), 700));
  maker.message(victim, forger);
  std::size_t last = maker.invent("is the last");
  maker.message(victim, last);
  footer_begin = victim.footer_begin();
  if (kind == ImageKind::closed) victim.close();

  SegmentImage ready(header_of(kReady, SegmentState::prepared), zeros());
  for (const SegmentImage* segment : {&older, &victim, &ready})
    disk.put(segment_path(segment->header().number), segment->bytes());
}

}  // namespace hikyaku::test
