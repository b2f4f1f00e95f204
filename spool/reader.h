// SPDX-License-Identifier: MIT
// The content of one mail on its way out: from the cache where it has just arrived, else read and verified on
// the pool; what is longer than 64 KiB in pieces of that length, or of 512 KiB while there is memory, however
// slowly they are sent. Holds memory from the budget only between the first piece and the end. Loop thread.
#pragma once

#include <optional>
#include <string>

#include "daemon/base/checksum.h"
#include "spool/core.h"
#include "spool/large_body.h"

namespace hikyaku::spool {

class Reader final : public mail::ContentReader {
 public:
  Reader(Core& core, mail::MailId id) : core_(core), id_(id) {}

  Task<Result<std::string_view, mail::SourceError>> next() override;
  Task<Result<void, mail::SourceError>> rewind() override;

 private:
  // What of a record's content has been handed out, to be met again if the record is copied elsewhere. Large
  // bodies never move.
  struct Given {
    std::size_t pieces = 0;
    Checksum sum{0};
  };

  Task<Result<void, mail::SourceError>> reserve(std::uint64_t bytes);
  Task<Result<std::string_view, mail::SourceError>> whole(IndexEntry entry);
  Task<Result<std::size_t, mail::SourceError>> reserve_piece(const IndexEntry& entry);
  Task<Result<void, mail::SourceError>> begin_pieces(IndexEntry entry);
  Task<Result<std::string_view, mail::SourceError>> next_piece();
  Result<bool, mail::SourceError> meet(std::string_view piece);
  bool has_moved() const;
  mail::SourceError told(mail::SourceError error);
  void let_go();

  Core& core_;
  mail::MailId id_;
  bool is_at_end_ = false;
  CachedMailPtr cached_;
  Reservation reservation_;
  std::string content_;
  std::optional<PieceReader> pieces_;
  IndexEntry read_from_;  // what the index said when pieces_ was begun
  Given given_;
  Given met_again_;  // behind that: as far as pieces_, begun anew, has come
};

}  // namespace hikyaku::spool
