// SPDX-License-Identifier: MIT
// What is known in memory of the queue: for each mail where its records stand, its size and its state, about
// 90 bytes; and for each segment what is needed to read it and how many mails still live there. Loop thread
// (recovery fills one on the pool before anyone else sees it).
#pragma once

#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "daemon/mail/mail_source.h"
#include "spool/segment.h"

namespace hikyaku::spool {

struct Place {
  SegmentNumber segment = 0;  // 0: nowhere
  std::uint32_t offset = 0;
  std::uint32_t head_length = 0;
};

struct IndexEntry {
  Place message;
  Place progress;  // the newest; nowhere before the first
  std::uint64_t size = 0;
  Duration next_wait{0};
  bool held = false;
  bool large = false;
};

struct SegmentInfo {
  std::uint64_t seed = 0;
  std::uint64_t size = 0;
  std::uint64_t live = 0;  // mails whose MESSAGE stands there and that have not ended
};

class Index {
 public:
  void add_segment(SegmentNumber number, std::uint64_t seed, std::uint64_t size) {
    segments_[number] = {seed, size, 0};
  }
  void remove_segment(SegmentNumber number) { segments_.erase(number); }
  const SegmentInfo* segment(SegmentNumber number) const;
  // The lowest number; 0 if there is none.
  SegmentNumber oldest_segment() const { return segments_.empty() ? 0 : segments_.begin()->first; }
  const std::map<SegmentNumber, SegmentInfo>& segments() const { return segments_; }

  // A record that has become durable, or that recovery found; in the order of the log. A MESSAGE under an id
  // that is there moves it (the retry of a failed batch); PROGRESS and DONE of an unknown one do nothing.
  void apply(SegmentNumber segment, const FooterEntry& record);
  const IndexEntry* find(mail::MailId id) const;
  std::size_t size() const { return mails_.size(); }
  std::vector<mail::QueueEntry> entries() const;  // by id

 private:
  void put(SegmentNumber segment, const FooterEntry& record);
  void update(SegmentNumber segment, const FooterEntry& record);
  void erase(mail::MailId id);

  std::unordered_map<mail::MailId, IndexEntry> mails_;
  std::map<SegmentNumber, SegmentInfo> segments_;
};

mail::QueueEntry to_queue_entry(mail::MailId id, const IndexEntry& entry);

}  // namespace hikyaku::spool
