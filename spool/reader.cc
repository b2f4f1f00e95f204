// SPDX-License-Identifier: MIT
#include "spool/reader.h"

#include <utility>

namespace hikyaku::spool {

using mail::SourceError;
using mail::SourceErrorKind;

Task<Result<std::string_view, SourceError>> Reader::next() {
  if (is_at_end_) {
    let_go();
    co_return std::string_view();
  }
  Result<std::string_view, SourceError> piece;
  if (large_) {
    piece = co_await next_large();
    co_return piece;
  }
  const IndexEntry* entry = core_.index.find(id_);
  if (entry == nullptr) co_return std::unexpected(core_.explain(id_, {SourceErrorKind::unknown_mail, ""}));
  if (!entry->large) {
    piece = co_await whole(*entry);
    co_return piece;
  }
  auto begun = co_await begin_large(*entry);
  if (!begun) co_return std::unexpected(begun.error());
  piece = co_await next_large();
  co_return piece;
}

Task<Result<std::string_view, SourceError>> Reader::whole(IndexEntry entry) {
  cached_ = core_.cache.find(id_);
  if (cached_ != nullptr) {
    is_at_end_ = true;
    co_return std::string_view(cached_->content);
  }
  reservation_ = co_await core_.budget.reserve(entry.size);
  Result<std::string, SourceError> content;
  bool is_again = false;
  do {
    StoredAt where = core_.at(id_, entry.message, RecordType::message);
    co_await core_.workers.run([&] { content = read_content(core_.disk, where, entry.size); });
    is_again = !content && core_.has_moved(id_, entry);
    if (is_again) entry = *core_.index.find(id_);
  } while (is_again);
  if (!content) co_return std::unexpected(core_.told_of_record(id_, entry, std::move(content.error())));
  is_at_end_ = true;
  content_ = std::move(*content);
  co_return std::string_view(content_);
}

Task<Result<void, SourceError>> Reader::begin_large(IndexEntry entry) {
  auto head = co_await core_.stored_head(id_, entry.message, RecordType::message);
  while (!head && core_.has_moved(id_, entry)) {
    entry = *core_.index.find(id_);
    head = co_await core_.stored_head(id_, entry.message, RecordType::message);
  }
  if (!head) co_return std::unexpected(core_.told_of_record(id_, entry, std::move(head.error())));
  if (reservation_.bytes() == 0) reservation_ = co_await core_.budget.reserve(kLargePiece);
  large_.emplace(core_.disk, core_.workers, id_, head->header.content_length, head->header.content_checksum);
  co_return {};
}

Task<Result<std::string_view, SourceError>> Reader::next_large() {
  auto piece = co_await large_->next();
  const IndexEntry* entry = core_.index.find(id_);
  if (!piece && entry != nullptr)
    co_return std::unexpected(core_.told_of_body(id_, *entry, std::move(piece.error())));
  if (!piece) co_return std::unexpected(core_.explain(id_, std::move(piece.error())));
  is_at_end_ = piece->empty();
  if (is_at_end_) let_go();
  co_return piece;
}

Task<Result<void, SourceError>> Reader::rewind() {
  let_go();
  is_at_end_ = false;
  co_return {};
}

void Reader::let_go() {
  cached_ = nullptr;
  content_ = std::string();
  large_.reset();
  reservation_ = Reservation();
}

}  // namespace hikyaku::spool
