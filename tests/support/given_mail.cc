// SPDX-License-Identifier: MIT
#include "tests/support/given_mail.h"

#include <algorithm>
#include <optional>

#include "daemon/base/checksum.h"
#include "spool/recovery.h"
#include "spool/stored.h"

namespace hikyaku::test {

using namespace spool;

namespace {

class Source {
 public:
  Source(Disk& disk, const Index& index, const ImageMail& mail, const IndexEntry& entry)
      : disk_(disk), index_(index), mail_(mail), entry_(entry) {}

  std::optional<StoredHead> head(Place place, RecordType type) const {
    auto head = read_head(disk_, at(place, type));
    return head ? std::optional(std::move(*head)) : std::nullopt;
  }
  std::optional<std::string> content(const RecordHeader& header) const {
    if (entry_.large) return large_content(header);
    auto content = read_content(disk_, at(entry_.message, RecordType::message), entry_.size);
    return content ? std::optional(std::move(*content)) : std::nullopt;
  }
  // As the records say it; nothing where they are damaged.
  std::optional<mail::Progress> state(const StoredHead& message) const {
    if (entry_.progress.segment != 0) {
      auto progress = head(entry_.progress, RecordType::progress);
      return progress ? decode_progress(progress->head) : std::nullopt;
    }
    if (!message.header.folded) return mail_.states.front();
    auto folded = decode_folded_head(message.head);
    return folded ? std::optional(std::move(folded->progress)) : std::nullopt;
  }

 private:
  StoredAt at(Place place, RecordType type) const {
    const SegmentInfo* segment = index_.segment(place.segment);
    return {place, segment == nullptr ? 0 : segment->seed, mail_.id, type};
  }
  std::optional<std::string> large_content(const RecordHeader& header) const {
    auto file = disk_.open_for_reading(large_path(mail_.id));
    if (!file) return std::nullopt;
    auto bytes = read_exactly(**file, 0, static_cast<std::size_t>(header.content_length));
    bool is_intact = bytes && checksum(*bytes, large_seed(mail_.id)) == header.content_checksum;
    return is_intact ? std::optional(std::move(*bytes)) : std::nullopt;
  }

  Disk& disk_;
  const Index& index_;
  const ImageMail& mail_;
  const IndexEntry& entry_;
};

std::optional<MessageHead> message_head(const StoredHead& head) {
  if (!head.header.folded) return decode_message_head(head.head);
  auto folded = decode_folded_head(head.head);
  return folded ? std::optional(std::move(folded->message)) : std::nullopt;
}

}  // namespace

Given give(Disk& disk, const Index& index, const ImageMail& mail) {
  const IndexEntry* entry = index.find(mail.id);
  if (entry == nullptr) return Given::nothing;
  Source source(disk, index, mail, *entry);
  auto head = source.head(entry->message, RecordType::message);
  auto content = head ? source.content(head->header) : std::nullopt;
  auto state = head ? source.state(*head) : std::nullopt;
  if (!content || !state) return Given::damaged;
  auto known = std::ranges::find(mail.states, *state);
  bool is_right = message_head(*head) == mail.head && *content == mail.content && known != mail.states.end();
  if (!is_right) return Given::wrong;
  return known + 1 == mail.states.end() ? Given::right : Given::older;
}

}  // namespace hikyaku::test
