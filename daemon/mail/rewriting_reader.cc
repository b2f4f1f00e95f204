// SPDX-License-Identifier: MIT
#include "daemon/mail/rewriting_reader.h"

#include <utility>

namespace hikyaku::mail {

Task<Result<void, SourceError>> RewritingReader::prepare() {
  auto planned = co_await make_plan();
  if (!planned) co_return planned;
  auto rewound = co_await rewind();
  if (!rewound || !rewriter_) co_return rewound;
  auto measured = co_await measure();
  if (!measured) co_return measured;
  rewound = co_await rewind();
  co_return rewound;
}

Task<Result<void, SourceError>> RewritingReader::make_plan() {
  HeaderSurvey survey(rules_);
  while (!survey.is_over()) {
    auto piece = co_await stored_.next();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) break;
    survey.feed(*piece);
  }
  plan_ = survey.plan();
  if (!plan_.is_empty()) rewriter_.emplace(plan_);
  co_return Result<void, SourceError>{};
}

Task<Result<void, SourceError>> RewritingReader::measure() {
  while (!rewriter_->is_in_body()) {
    auto piece = co_await stored_.next();
    if (!piece) co_return std::unexpected(piece.error());
    piece_.clear();
    if (piece->empty())
      rewriter_->finish(piece_);
    else
      rewriter_->feed(*piece, piece_);
    gone_ += piece->size();
    added_ += piece_.size();
    if (piece->empty()) break;
  }
  co_return Result<void, SourceError>{};
}

Task<Result<std::string_view, SourceError>> RewritingReader::next() {
  piece_.clear();
  while (!passes() && piece_.empty()) {
    auto piece = co_await stored_.next();
    if (!piece) co_return std::unexpected(piece.error());
    is_finished_ = piece->empty();
    if (is_finished_)
      rewriter_->finish(piece_);
    else
      rewriter_->feed(*piece, piece_);
  }
  if (!piece_.empty()) co_return std::string_view(piece_);
  auto piece = co_await stored_.next();
  co_return piece;
}

Task<Result<void, SourceError>> RewritingReader::rewind() {
  is_finished_ = false;
  if (!plan_.is_empty()) rewriter_.emplace(plan_);
  auto rewound = co_await stored_.rewind();
  co_return rewound;
}

}  // namespace hikyaku::mail
