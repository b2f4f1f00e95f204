// SPDX-License-Identifier: MIT
// The queue in memory: for each mail the place of its records, its size, its state and what lists ask of
// it, in a node of 112 bytes; and for each segment what is needed to read it, and how much of it is alive. No operation
// takes time in proportion to the queue (a hash table's growing would). Loop thread (recovery fills one on
// the pool before anyone else sees it).
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "daemon/mail/mail_source.h"
#include "spool/segment.h"

namespace hikyaku::spool {

struct Place {
  SegmentNumber segment = 0;  // 0: nowhere
  std::uint32_t offset = 0;
  std::uint32_t head_length = 0;
  bool operator==(const Place&) const = default;
};

struct IndexEntry {
  Place message;
  Place progress;  // the newest; nowhere before the first, and where it is folded into the message's head
  Duration next_wait{0};
  std::uint64_t size : 61 = 0;
  std::uint64_t held : 1 = 0;
  std::uint64_t large : 1 = 0;
  std::uint64_t folded : 1 = 0;     // the message's record has progress in its head: a copy, or handed over
  std::uint64_t written : 52 = 0;   // Facts, in microseconds; 0: unknown
  std::uint64_t attempts : 12 = 0;  // 4095: or more
  std::uint32_t arrival = 0;        // in seconds; 0: unknown
  std::uint32_t reason = 0;         // mail::reason_code()
  bool operator==(const IndexEntry&) const = default;
};
static_assert(sizeof(IndexEntry) == 64,
              "a million mails are to fit into 160 MB, the queue runner's part included");
Facts facts_of(const IndexEntry& entry);

// What a mail keeps alive in the log: its MESSAGE and its newest PROGRESS.
std::uint64_t live_bytes(const IndexEntry& entry);

struct SegmentInfo {
  std::uint64_t seed = 0;
  std::uint64_t size = 0;
  std::uint64_t live = 0;        // mails whose MESSAGE stands there and that have not ended
  std::uint64_t live_bytes = 0;  // of those, wherever their PROGRESS stands: what copying them all takes
};

class Index {
 public:
  void add_segment(SegmentNumber number, std::uint64_t seed, std::uint64_t size);
  void remove_segment(SegmentNumber number);
  const SegmentInfo* segment(SegmentNumber number) const;
  // The lowest number; 0 if there is none.
  SegmentNumber oldest_segment() const { return segments_.empty() ? 0 : segments_.begin()->first; }
  const std::map<SegmentNumber, SegmentInfo>& segments() const { return segments_; }
  std::uint64_t log_bytes() const { return log_bytes_; }    // of all segments
  std::uint64_t live_bytes() const { return live_bytes_; }  // of all mails
  std::uint64_t largest_mail() const;                       // looks at all mails

  // A record that has become durable, or that recovery found; in the order of the log. A MESSAGE under an id
  // that is there moves it (a copy, or the retry of a failed batch); PROGRESS and DONE of an unknown mail
  // have no effect.
  void apply(SegmentNumber segment, const FooterEntry& record);
  // Valid until the next apply().
  const IndexEntry* find(mail::MailId id) const;
  std::size_t size() const { return mails_.size(); }
  std::vector<mail::QueueEntry> entries() const;  // by id
  std::vector<mail::MailId> ids_after(mail::MailId id, std::size_t limit) const;
  // The same with their entries, which are valid until the next apply().
  std::vector<std::pair<mail::MailId, const IndexEntry*>> after(mail::MailId id, std::size_t limit) const;
  // The mails whose MESSAGE is in that segment, and its offset. Takes time in proportion to the queue: for a
  // segment whose own records are unreadable.
  std::vector<std::pair<mail::MailId, std::uint32_t>> living_in(SegmentNumber number) const;
  // Removes a damaged mail.
  void forget(mail::MailId id) { erase(id); }

 private:
  void put(SegmentNumber segment, const FooterEntry& record);
  void update(SegmentNumber segment, const FooterEntry& record);
  void erase(mail::MailId id);
  void count(const IndexEntry& entry);
  void discount(const IndexEntry& entry);

  std::map<mail::MailId, IndexEntry> mails_;
  std::map<SegmentNumber, SegmentInfo> segments_;
  std::uint64_t log_bytes_ = 0;
  std::uint64_t live_bytes_ = 0;
};

mail::QueueEntry to_queue_entry(mail::MailId id, const IndexEntry& entry);

}  // namespace hikyaku::spool
