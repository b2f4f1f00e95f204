// SPDX-License-Identifier: MIT
// The content of one mail on its way out: from the cache where it has just arrived, else read and verified on
// the pool; a large body in pieces. Holds memory from the budget only between the first piece and the end.
// Loop thread.
#pragma once

#include <optional>
#include <string>

#include "spool/core.h"
#include "spool/large_body.h"

namespace hikyaku::spool {

class Reader final : public mail::ContentReader {
 public:
  Reader(Core& core, mail::MailId id) : core_(core), id_(id) {}

  Task<Result<std::string_view, mail::SourceError>> next() override;
  Task<Result<void, mail::SourceError>> rewind() override;

 private:
  Task<Result<std::string_view, mail::SourceError>> whole(IndexEntry entry);
  Task<Result<void, mail::SourceError>> begin_large(IndexEntry entry);
  Task<Result<std::string_view, mail::SourceError>> next_large();
  void let_go();

  Core& core_;
  mail::MailId id_;
  bool is_at_end_ = false;
  CachedMailPtr cached_;
  Reservation reservation_;
  std::string content_;
  std::optional<LargeBodyReader> large_;
};

}  // namespace hikyaku::spool
