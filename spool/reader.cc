// SPDX-License-Identifier: MIT
#include "spool/reader.h"

#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::spool {

using mail::SourceError;
using mail::SourceErrorKind;

namespace {

// Long pieces take no more than half of what readers are guaranteed.
constexpr std::uint64_t kPartForLong = 8;

}  // namespace

Task<Result<std::string_view, SourceError>> Reader::next() {
  if (is_at_end_) {
    let_go();
    co_return std::string_view();
  }
  Result<std::string_view, SourceError> piece;
  if (!pieces_) {
    const IndexEntry* entry = core_.index.find(id_);
    if (entry == nullptr) co_return std::unexpected(core_.explain(id_, {SourceErrorKind::unknown_mail, ""}));
    cached_ = core_.cache.find(id_);
    if (cached_ != nullptr || (!entry->large && entry->size <= kLargePiece)) {
      piece = co_await whole(*entry);
      co_return piece;
    }
    auto begun = co_await begin_pieces(*entry);
    if (!begun) co_return std::unexpected(begun.error());
  }
  piece = co_await next_piece();
  co_return piece;
}

Task<Result<void, SourceError>> Reader::reserve(std::uint64_t bytes) {
  if (reservation_.bytes() > 0) co_return {};
  auto memory = co_await core_.budget.reserve(Share::readers, bytes, kMemoryTimeout);
  if (!memory)
    co_return fail(SourceErrorKind::no_memory, "memory for mail in transit is used up (see `memory`)");
  reservation_ = std::move(*memory);
  co_return {};
}

Task<Result<std::string_view, SourceError>> Reader::whole(IndexEntry entry) {
  if (cached_ != nullptr) {
    is_at_end_ = true;
    co_return std::string_view(cached_->content);
  }
  auto reserved = co_await reserve(entry.size);
  if (!reserved) co_return std::unexpected(std::move(reserved.error()));
  auto read = [this, &entry] {
    StoredAt where = core_.at(id_, entry.message, RecordType::message);
    return core_.workers.run([this, &entry, where] { return read_content(core_.disk, where, entry.size); });
  };
  auto content = co_await read();
  while (!content && core_.has_moved(id_, entry)) {
    entry = *core_.index.find(id_);
    content = co_await read();
  }
  if (!content)
    co_return std::unexpected(core_.explain_and_report_record(id_, entry, std::move(content.error())));
  is_at_end_ = true;
  content_ = std::move(*content);
  co_return std::string_view(content_);
}

// Returns the length of the pieces that there is memory for. A record is met again piece by piece, so those
// of its content have one length.
Task<Result<std::size_t, SourceError>> Reader::reserve_piece(const IndexEntry& entry) {
  const std::uint64_t in_use = core_.budget.used(Share::readers);
  if (entry.large && in_use + kLongPiece <= core_.budget.most(Share::readers) / kPartForLong) {
    auto memory = co_await core_.budget.reserve(Share::readers, kLongPiece, 0s);
    if (memory) {
      reservation_ = std::move(*memory);
      co_return kLongPiece;
    }
  }
  auto reserved = co_await reserve(kLargePiece);
  if (!reserved) co_return std::unexpected(std::move(reserved.error()));
  co_return kLargePiece;
}

Task<Result<void, SourceError>> Reader::begin_pieces(IndexEntry entry) {
  auto head = co_await core_.stored_head(id_, entry.message, RecordType::message);
  while (!head && core_.has_moved(id_, entry)) {
    entry = *core_.index.find(id_);
    head = co_await core_.stored_head(id_, entry.message, RecordType::message);
  }
  if (!head) co_return std::unexpected(core_.explain_and_report_record(id_, entry, std::move(head.error())));
  auto longest = co_await reserve_piece(entry);
  if (!longest) co_return std::unexpected(std::move(longest.error()));
  ContentPlace place = large_place(id_, head->header.content_length, head->header.content_checksum);
  if (!entry.large) place = content_place(core_.at(id_, entry.message, RecordType::message), head->header);
  pieces_.emplace(core_.disk, core_.workers, std::move(place), *longest);
  read_from_ = entry;
  met_again_ = Given();
  co_return {};
}

// A record that is copied elsewhere while its content is read is read again from there; what was handed out
// before must be the same there.
Task<Result<std::string_view, SourceError>> Reader::next_piece() {
  for (;;) {
    auto piece = co_await pieces_->next();
    if (has_moved()) {
      auto begun = co_await begin_pieces(*core_.index.find(id_));
      if (!begun) co_return std::unexpected(std::move(begun.error()));
      continue;
    }
    if (!piece) co_return std::unexpected(told(std::move(piece.error())));
    auto is_new = meet(*piece);
    if (!is_new) co_return std::unexpected(told(std::move(is_new.error())));
    if (!*is_new) continue;
    is_at_end_ = piece->empty();
    if (is_at_end_) let_go();
    co_return piece;
  }
}

// Whether the piece has not been handed out before.
Result<bool, SourceError> Reader::meet(std::string_view piece) {
  if (read_from_.large) return true;
  met_again_.sum.update(piece);
  if (met_again_.pieces++ < given_.pieces) {
    bool is_other = met_again_.pieces == given_.pieces && met_again_.sum.digest() != given_.sum.digest();
    if (is_other) return fail(SourceErrorKind::damaged, "the content has changed");
    return false;
  }
  given_.pieces = met_again_.pieces;
  given_.sum.update(piece);
  return true;
}

bool Reader::has_moved() const {
  const IndexEntry* entry = core_.index.find(id_);
  return entry != nullptr && !entry->large && entry->message != read_from_.message;
}

SourceError Reader::told(SourceError error) {
  if (!read_from_.large) return core_.explain_and_report_record(id_, read_from_, std::move(error));
  return core_.explain_and_report_body(id_, read_from_, std::move(error));
}

Task<Result<void, SourceError>> Reader::rewind() {
  let_go();
  given_ = Given();
  is_at_end_ = false;
  co_return {};
}

void Reader::let_go() {
  cached_ = nullptr;
  content_ = std::string();
  pieces_.reset();
  reservation_ = Reservation();
}

}  // namespace hikyaku::spool
