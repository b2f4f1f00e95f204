// SPDX-License-Identifier: MIT
#include "spool/index.h"

#include <algorithm>

#include "daemon/base/check.h"

namespace hikyaku::spool {

const SegmentInfo* Index::segment(SegmentNumber number) const {
  auto found = segments_.find(number);
  return found == segments_.end() ? nullptr : &found->second;
}

void Index::apply(SegmentNumber segment, const FooterEntry& record) {
  switch (record.type) {
    case RecordType::message: return put(segment, record);
    case RecordType::progress: return update(segment, record);
    case RecordType::done: return erase(record.id);
  }
}

void Index::put(SegmentNumber segment, const FooterEntry& record) {
  erase(record.id);
  auto home = segments_.find(segment);
  check(home != segments_.end(), "a mail lives in a segment that is known");
  ++home->second.live;
  IndexEntry entry;
  entry.message = {segment, record.offset, record.head_length};
  entry.size = record.content_length;
  entry.large = record.large;
  mails_.emplace(record.id, entry);
}

void Index::update(SegmentNumber segment, const FooterEntry& record) {
  auto mail = mails_.find(record.id);
  if (mail == mails_.end()) return;
  mail->second.progress = {segment, record.offset, record.head_length};
  mail->second.next_wait = record.next_wait;
  mail->second.held = record.held;
}

void Index::erase(mail::MailId id) {
  auto mail = mails_.find(id);
  if (mail == mails_.end()) return;
  --segments_.at(mail->second.message.segment).live;
  mails_.erase(mail);
}

const IndexEntry* Index::find(mail::MailId id) const {
  auto mail = mails_.find(id);
  return mail == mails_.end() ? nullptr : &mail->second;
}

std::vector<mail::QueueEntry> Index::entries() const {
  std::vector<mail::QueueEntry> all;
  all.reserve(mails_.size());
  for (const auto& [id, entry] : mails_) all.push_back(to_queue_entry(id, entry));
  std::ranges::sort(all, {}, &mail::QueueEntry::id);
  return all;
}

mail::QueueEntry to_queue_entry(mail::MailId id, const IndexEntry& entry) {
  return {.id = id, .size = entry.size, .next_wait = entry.next_wait, .held = entry.held};
}

}  // namespace hikyaku::spool
