// SPDX-License-Identifier: MIT
#include "spool/index.h"

#include <algorithm>

#include "daemon/base/error.h"

namespace hikyaku::spool {

namespace {

constexpr std::uint64_t kMostAttempts = 4095;

// What does not fit is unknown.
void set_state_facts(IndexEntry& entry, const Facts& facts) {
  const auto written = facts.written.time_since_epoch().count();
  entry.written = written > 0 && written < std::int64_t{1} << 52 ? static_cast<std::uint64_t>(written) : 0;
  entry.attempts = std::min<std::uint64_t>(facts.attempts, kMostAttempts);
  entry.reason = facts.reason;
}

std::uint32_t arrival_in(const Facts& facts) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(facts.arrival.time_since_epoch()).count();
  return seconds > 0 && seconds <= UINT32_MAX ? static_cast<std::uint32_t>(seconds) : 0;
}

}  // namespace

Facts facts_of(const IndexEntry& entry) {
  return {.arrival = WallTime(std::chrono::seconds(entry.arrival)),
          .written = WallTime(Duration(static_cast<std::int64_t>(entry.written))),
          .attempts = static_cast<std::uint32_t>(entry.attempts),
          .reason = entry.reason};
}

std::uint64_t live_bytes(const IndexEntry& entry) {
  std::uint64_t bytes = record_length(entry.message.head_length, entry.large ? 0 : entry.size);
  if (entry.progress.segment != 0) bytes += record_length(entry.progress.head_length, 0);
  return bytes;
}

void Index::add_segment(SegmentNumber number, std::uint64_t seed, std::uint64_t size) {
  check(segments_.emplace(number, SegmentInfo{.seed = seed, .size = size}).second,
        "a segment's number is new");
  log_bytes_ += size;
}

void Index::remove_segment(SegmentNumber number) {
  auto segment = segments_.find(number);
  check(segment != segments_.end() && segment->second.live == 0, "no segment goes in which mail lives");
  log_bytes_ -= segment->second.size;
  segments_.erase(segment);
}

const SegmentInfo* Index::segment(SegmentNumber number) const {
  auto found = segments_.find(number);
  return found == segments_.end() ? nullptr : &found->second;
}

std::uint64_t Index::largest_mail() const {
  std::uint64_t largest = 0;
  for (const auto& [id, entry] : mails_) largest = std::max(largest, spool::live_bytes(entry));
  return largest;
}

void Index::apply(SegmentNumber segment, const FooterEntry& record) {
  switch (record.type) {
    case RecordType::message: return put(segment, record);
    case RecordType::progress: return update(segment, record);
    case RecordType::done: return erase(record.id);
  }
}

void Index::put(SegmentNumber segment, const FooterEntry& record) {
  // Ids grow, so a new mail's place is nearly always the end.
  auto mail = mails_.try_emplace(mails_.end(), record.id);
  IndexEntry& entry = mail->second;
  if (entry.message.segment != 0) discount(entry);
  entry = {};
  entry.message = {segment, record.offset, record.head_length};
  entry.next_wait = record.next_wait;
  entry.size = record.content_length & ((std::uint64_t{1} << 61U) - 1);
  entry.held = record.held;
  entry.large = record.large;
  entry.folded = record.folded;
  entry.arrival = arrival_in(record.facts);
  set_state_facts(entry, record.facts);
  count(entry);
}

void Index::update(SegmentNumber segment, const FooterEntry& record) {
  auto mail = mails_.find(record.id);
  if (mail == mails_.end()) return;
  discount(mail->second);
  mail->second.progress = {segment, record.offset, record.head_length};
  mail->second.next_wait = record.next_wait;
  mail->second.held = record.held;
  set_state_facts(mail->second, record.facts);
  count(mail->second);
}

void Index::erase(mail::MailId id) {
  auto mail = mails_.find(id);
  if (mail == mails_.end()) return;
  discount(mail->second);
  mails_.erase(mail);
}

void Index::count(const IndexEntry& entry) {
  auto home = segments_.find(entry.message.segment);
  check(home != segments_.end(), "a mail lives in a segment that is known");
  std::uint64_t bytes = spool::live_bytes(entry);
  ++home->second.live;
  home->second.live_bytes += bytes;
  live_bytes_ += bytes;
}

void Index::discount(const IndexEntry& entry) {
  SegmentInfo& home = segments_.at(entry.message.segment);
  std::uint64_t bytes = spool::live_bytes(entry);
  --home.live;
  home.live_bytes -= bytes;
  live_bytes_ -= bytes;
}

const IndexEntry* Index::find(mail::MailId id) const {
  auto mail = mails_.find(id);
  return mail == mails_.end() ? nullptr : &mail->second;
}

std::vector<mail::QueueEntry> Index::entries() const {
  std::vector<mail::QueueEntry> all;
  all.reserve(mails_.size());
  for (const auto& [id, entry] : mails_) all.push_back(to_queue_entry(id, entry));
  return all;
}

std::vector<mail::MailId> Index::ids_after(mail::MailId id, std::size_t limit) const {
  std::vector<mail::MailId> ids;
  for (const auto& [mail, entry] : after(id, limit)) ids.push_back(mail);
  return ids;
}

std::vector<std::pair<mail::MailId, const IndexEntry*>> Index::after(mail::MailId id,
                                                                     std::size_t limit) const {
  std::vector<std::pair<mail::MailId, const IndexEntry*>> all;
  for (auto mail = mails_.upper_bound(id); mail != mails_.end() && all.size() < limit; ++mail)
    all.emplace_back(mail->first, &mail->second);
  return all;
}

std::vector<std::pair<mail::MailId, std::uint32_t>> Index::living_in(SegmentNumber number) const {
  std::vector<std::pair<mail::MailId, std::uint32_t>> mails;
  for (const auto& [id, entry] : mails_)
    if (entry.message.segment == number) mails.emplace_back(id, entry.message.offset);
  return mails;
}

mail::QueueEntry to_queue_entry(mail::MailId id, const IndexEntry& entry) {
  return {.id = id, .size = entry.size, .next_wait = entry.next_wait, .held = entry.held != 0};
}

}  // namespace hikyaku::spool
