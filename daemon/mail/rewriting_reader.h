// SPDX-License-Identifier: MIT
// A mail's content as one smarthost gets it: a reader over the stored content that applies the smarthost's rules
// to the header (header_rewriter.h). Holds a piece of the header at a time; the body passes through uncopied.
// Errors of the stored content pass through, too.
#pragma once

#include <optional>
#include <string>

#include "daemon/mail/header_rewriter.h"
#include "daemon/mail/mail_source.h"

namespace hikyaku::mail {

class RewritingReader final : public ContentReader {
 public:
  // Both outlive the reader. The content is at its beginning.
  RewritingReader(ContentReader& stored, const Rewriting& rules) : stored_(stored), rules_(rules) {}

  // Reads the header and finds out what changes in it. Once, first.
  Task<Result<void, SourceError>> prepare();
  // Of the content as it leaves, where the stored one has `stored` bytes.
  std::uint64_t size(std::uint64_t stored) const { return stored + added_ - gone_; }

  Task<Result<std::string_view, SourceError>> next() override;
  Task<Result<void, SourceError>> rewind() override;

 private:
  Task<Result<void, SourceError>> make_plan();
  Task<Result<void, SourceError>> measure();
  bool passes() const { return !rewriter_ || rewriter_->is_in_body() || is_finished_; }
  void rewrite(std::string_view stored);

  ContentReader& stored_;
  const Rewriting& rules_;
  HeaderPlan plan_;
  std::optional<HeaderRewriter> rewriter_;  // nullopt: nothing changes
  std::string piece_;                       // of the header as it leaves
  std::string_view rest_;                   // of the stored piece that piece_ was made of: the body
  bool is_finished_ = false;
  std::uint64_t added_ = 0;
  std::uint64_t gone_ = 0;
};

}  // namespace hikyaku::mail
