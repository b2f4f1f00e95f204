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

// Empty: the end.
void RewritingReader::rewrite(std::string_view stored) {
  piece_.clear();
  is_finished_ = stored.empty();
  if (is_finished_)
    rewriter_->finish(piece_);
  else
    rest_ = rewriter_->feed(stored, piece_);
}

Task<Result<void, SourceError>> RewritingReader::measure() {
  while (!passes()) {
    auto piece = co_await stored_.next();
    if (!piece) co_return std::unexpected(piece.error());
    rewrite(*piece);
    gone_ += piece->size() - rest_.size();
    added_ += piece_.size();
  }
  co_return Result<void, SourceError>{};
}

Task<Result<std::string_view, SourceError>> RewritingReader::next() {
  if (!rest_.empty()) co_return std::exchange(rest_, {});
  piece_.clear();
  while (!passes() && piece_.empty()) {
    auto piece = co_await stored_.next();
    if (!piece) co_return std::unexpected(piece.error());
    rewrite(*piece);
  }
  if (!piece_.empty()) co_return std::string_view(piece_);
  auto piece = co_await stored_.next();
  co_return piece;
}

Task<Result<void, SourceError>> RewritingReader::rewind() {
  is_finished_ = false;
  rest_ = {};
  if (!plan_.is_empty()) rewriter_.emplace(plan_);
  auto rewound = co_await stored_.rewind();
  co_return rewound;
}

Task<Result<void, SourceError>> OutgoingContent::prepare() {
  if (!smarthost_.rewrite.changes_header()) co_return Result<void, SourceError>{};
  rewritten_ = std::make_unique<RewritingReader>(stored_, smarthost_.rewrite);
  auto prepared = co_await rewritten_->prepare();
  if (prepared) size_ = rewritten_->size(size_);
  co_return prepared;
}

ContentReader& OutgoingContent::reader() {
  return rewritten_ ? static_cast<ContentReader&>(*rewritten_) : stored_;
}

}  // namespace hikyaku::mail
