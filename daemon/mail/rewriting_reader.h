// SPDX-License-Identifier: MIT
// A mail's content as one smarthost gets it: a reader over the stored content that applies the smarthost's rules
// to the header (header_rewriter.h). Holds a piece of the header at a time; the body passes through uncopied.
// Errors of the stored content pass through, too.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "daemon/mail/header_rewriter.h"
#include "daemon/mail/mail_source.h"
#include "daemon/mail/smarthost.h"

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
  bool may_be_sent() const override { return stored_.may_be_sent(); }

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

// A mail's content on its way out: from what is stored to the bytes that one smarthost gets, before dot-stuffing. Lanes
// send it, and `hikyaku queue cat --as-sent` prints it, so nothing else may put together what leaves. Whatever else is
// done to a mail for a smarthost becomes one more stage here, a reader over the one before.
class OutgoingContent {
 public:
  // `stored`, at its beginning, has `size` bytes; it and the smarthost outlive the content.
  OutgoingContent(ContentReader& stored, std::uint64_t size, const Smarthost& smarthost)
      : stored_(stored), size_(size), smarthost_(smarthost) {}

  // Finds out what changes. Once, first. Reads some of the stored content, and returns to its beginning.
  Task<Result<void, SourceError>> prepare();
  // At its beginning after prepare().
  ContentReader& reader();
  std::uint64_t size() const { return size_; }

 private:
  ContentReader& stored_;
  std::uint64_t size_;
  const Smarthost& smarthost_;
  std::unique_ptr<RewritingReader> rewritten_;  // null: no rule changes the header
};

}  // namespace hikyaku::mail
