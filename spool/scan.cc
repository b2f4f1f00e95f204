// SPDX-License-Identifier: MIT
#include "spool/scan.h"

#include <algorithm>

#include "spool/payload.h"

namespace hikyaku::spool {
namespace {

constexpr std::size_t kReadAhead = 1U << 20;
constexpr std::uint64_t kLongestRecord = kRecordHeader + kMaxHead + kMaxContent + kRecordAlign;
const std::string kZeros(kBlock, '\0');

// The part of the head that tells what became of the mail; empty where there is none.
std::string_view progress_in(const RecordHeader& header, std::string_view head) {
  if (header.type == RecordType::progress) return head;
  auto message = header.folded ? message_head_length(head) : std::nullopt;
  return message ? head.substr(*message) : std::string_view();
}

class Scanner {
 public:
  Scanner(DiskFile& file, const SegmentHeader& header, const ClosedSegment& closed)
      : window_(file, closed.number != 0 ? std::min(closed.valid_length, footer_end(header.size))
                                         : footer_end(header.size)),
        seed_(segment_seed(header)) {
    scan_.flushed = closed.flushed;
  }

  Scan run() {
    for (std::uint64_t at = records_begin(); at + kRecordHeader <= window_.end();) at = step(at);
    end_hole(window_.end());
    for (Hole& hole : scan_.holes) judge(hole);
    scan_.has_read_errors = window_.has_failed();
    return std::move(scan_);
  }

 private:
  // The next position to try.
  std::uint64_t step(std::uint64_t at) {
    RecordSeed seed(seed_, at);
    auto header = decode_record_header(window_.at(at, kRecordHeader), seed);
    if (!header) return note_nothing(at);
    scan_.flushed = std::max<std::uint64_t>(scan_.flushed, header->flushed);
    std::uint64_t length = record_length(*header);
    std::string_view bytes = window_.at(at, static_cast<std::size_t>(length));
    bool whole = bytes.size() == length;
    if (whole && is_intact(*header, split_record(*header, bytes), seed)) {
      note_record(at, *header, split_record(*header, bytes));
    } else {
      note_broken(at, std::min(at + length, window_.end()), header->id);
    }
    return at + length;
  }

  void note_record(std::uint64_t at, const RecordHeader& header, const RecordParts& parts) {
    end_hole(at);
    scan_.entries.push_back(footer_entry(header, at, parts.head));
    scan_.valid_length = at + record_length(header);
    if (scan_.holes.empty()) scan_.unbroken = scan_.valid_length;
    scan_.newest = std::max(scan_.newest, header.wall);
    scan_.highest_id = std::max(scan_.highest_id, header.id);
  }

  void judge(Hole& hole) {
    hole.is_damage = hole.begin < scan_.flushed;
    if (!hole.is_damage) return;
    std::uint64_t length = std::min(hole.end - hole.begin, kLongestRecord);
    hole.record = salvage(window_.at(hole.begin, static_cast<std::size_t>(length)), seed_, hole.begin);
  }

  void note_broken(std::uint64_t begin, std::uint64_t end, mail::MailId id) {
    end_hole(begin);
    scan_.highest_id = std::max(scan_.highest_id, id);
    scan_.holes.push_back({begin, end, id, false, {}});
  }

  // Zeros behind the last record are simply the unused rest; zeros before one are a hole.
  std::uint64_t note_nothing(std::uint64_t at) {
    if (hole_begin_ == 0) {
      hole_begin_ = at;
      hole_has_bytes_ = false;
    }
    if (is_zero(window_.at(at, kZeros.size()))) return at + kZeros.size() - kRecordAlign;
    hole_has_bytes_ = hole_has_bytes_ || !is_zero(window_.at(at, kRecordAlign));
    return at + kRecordAlign;
  }

  // The unused rest is most of many a segment. A header's second word holds its type and is never zero, so
  // none begins before the last word of the zeros.
  static bool is_zero(std::string_view bytes) {
    return bytes == std::string_view(kZeros).substr(0, bytes.size());
  }

  void end_hole(std::uint64_t end) {
    bool counts = hole_begin_ != 0 && (hole_has_bytes_ || end < window_.end() || hole_begin_ < scan_.flushed);
    if (counts) scan_.holes.push_back({hole_begin_, end, {}, false, {}});
    hole_begin_ = 0;
  }

  Window window_;
  std::uint64_t seed_;
  std::uint64_t hole_begin_ = 0;
  bool hole_has_bytes_ = false;
  Scan scan_;
};

}  // namespace

std::string_view Window::at(std::uint64_t offset, std::size_t length) {
  length = static_cast<std::size_t>(std::min<std::uint64_t>(length, end_ - std::min(offset, end_)));
  bool have = offset >= begin_ && offset + length <= begin_ + buffer_.size();
  if (!have) load(offset, length);
  std::size_t from = static_cast<std::size_t>(offset - begin_);
  return std::string_view(buffer_).substr(std::min(from, buffer_.size()), length);
}

void Window::load(std::uint64_t offset, std::size_t length) {
  begin_ = offset;
  length = static_cast<std::size_t>(std::min<std::uint64_t>(std::max(length, kReadAhead), end_ - offset));
  buffer_.assign(length, '\0');
  auto got = file_.read(buffer_, offset);
  if (!got) return load_piecewise(length);
  std::ranges::fill(std::span(buffer_).subspan(*got), '\0');
}

void Window::load_piecewise(std::size_t length) {
  for (std::size_t at = 0; at < length; at += kBlock) {
    std::span<char> piece = std::span(buffer_).subspan(at, std::min<std::size_t>(kBlock, length - at));
    auto got = file_.read(piece, begin_ + at);
    if (got) continue;
    std::ranges::fill(piece, '\0');
    has_failed_ = true;
  }
}

FooterEntry footer_entry(const RecordHeader& header, std::uint64_t offset, std::string_view head) {
  FooterEntry entry{.id = header.id,
                    .offset = static_cast<std::uint32_t>(offset),
                    .head_length = header.head_length,
                    .content_length = header.content_length,
                    .type = header.type,
                    .large = header.large,
                    .folded = header.folded};
  if (header.type != RecordType::done) entry.facts.written = header.wall;
  if (header.type == RecordType::message)
    entry.facts.arrival = std::chrono::floor<std::chrono::seconds>(decode_arrival(head));
  auto brief = decode_progress_brief(progress_in(header, head));
  if (brief) {
    entry.next_wait = brief->next_wait;
    entry.held = brief->held;
    entry.facts.attempts = brief->attempts;
    entry.facts.reason = brief->reason;
  }
  return entry;
}

Scan scan_segment(DiskFile& file, const SegmentHeader& header, const ClosedSegment& closed) {
  return Scanner(file, header, closed).run();
}

}  // namespace hikyaku::spool
