// SPDX-License-Identifier: MIT
#include "spool/postgresql/database_view.h"

#include <algorithm>
#include <utility>

#include "daemon/base/checksum.h"
#include "daemon/base/text.h"
#include "spool/postgresql/body.h"
#include "spool/postgresql/fleet_statements.h"
#include "spool/postgresql/statements.h"

namespace hikyaku::postgresql {

using mail::MailId;
using mail::SourceError;
using mail::SourceErrorKind;

namespace {

std::unexpected<SourceError> no_such_mail(MailId id) {
  return fail(SourceErrorKind::unknown_mail, cat("there is no mail ", to_text(id), " in the queue"));
}

MailId id_in(const Rows& rows, std::size_t row) {
  return {static_cast<std::uint64_t>(rows.number(row, kIdColumn))};
}

// The content of one mail, piece by piece; each is verified before anybody sees it.
class Content {
 public:
  Content(BlockingDatabase& database, MailId id, const Rows& row)
      : database_(database),
        id_(id),
        size_(static_cast<std::uint64_t>(row.number(0, 0))),
        pieces_(row.number(0, 1)),
        sum_(row.number(0, 2)),
        small_(row.bytes(0, 3)) {}

  Result<void, SourceError> read(const spool::QueueView::Take& take) {
    std::uint64_t given = 0;
    for (std::int64_t piece = pieces_ > 0 ? 1 : 0; piece <= pieces_; ++piece) {
      auto bytes = load(piece);
      if (!bytes) return std::unexpected(bytes.error());
      given += bytes->size();
      if (!bytes->empty() && !take(*bytes)) return {};
    }
    if (given != size_) return damaged();
    return {};
  }

 private:
  Result<std::string, SourceError> load(std::int64_t piece) {
    std::string bytes = small_;
    std::int64_t sum = sum_;
    if (piece > 0) {
      auto found = database_.ask({{&kLoadPiece, {id_value(id_), number(piece)}}});
      if (!found) return std::unexpected(to_source_error(SourceErrorKind::read_failed, found.error()));
      if (found->front().empty()) return missing(piece);
      sum = found->front().number(0, 0);
      bytes = found->front().take(0, 1);
    }
    if (checksum(bytes, piece_seed(database_.checksum_key(), id_, piece)) != static_cast<std::uint64_t>(sum))
      return damaged();
    return bytes;
  }

  // A mail that has ended meanwhile has taken its pieces along.
  std::unexpected<SourceError> missing(std::int64_t piece) {
    auto still = database_.ask({{&kContent, {id_value(id_)}}});
    if (still && still->front().empty()) return no_such_mail(id_);
    return fail(SourceErrorKind::damaged,
                cat("piece ", std::to_string(piece), " of ", std::to_string(pieces_), " of mail ",
                    to_text(id_), " is missing"));
  }
  std::unexpected<SourceError> damaged() const {
    return fail(SourceErrorKind::damaged, cat("the content of mail ", to_text(id_), " is damaged"));
  }

  BlockingDatabase& database_;
  MailId id_;
  std::uint64_t size_;
  std::int64_t pieces_;
  std::int64_t sum_;
  std::string small_;
};

}  // namespace

Result<std::unique_ptr<DatabaseView>, StartError> DatabaseView::open(SharedPlace place) {
  auto database = BlockingDatabase::open(place.url);
  if (!database) return std::unexpected(database.error());
  return std::make_unique<DatabaseView>(std::move(*database), std::move(place));
}

Result<std::vector<spool::Glance>, spool::ViewError> DatabaseView::page_after(MailId id, std::size_t limit) {
  rows_.clear();
  auto found = ask_for({&kPage, {id_value(id), number(static_cast<std::int64_t>(limit))}});
  if (!found) return fail(spool::ViewErrorKind::away, found.error().text);
  page_ = std::move(*found);
  read_ = database_->loop().clock().wall();
  std::vector<spool::Glance> glances;
  for (std::size_t row = 0; row < page_.size(); ++row) {
    glances.push_back({.id = id_in(page_, row),
                       .size = static_cast<std::uint64_t>(page_.number(row, kSizeColumn)),
                       .held = page_.flag(row, kHeldColumn),
                       .facts = {}});
    if (!page_.is_null(row, kEnvelopeColumn)) rows_.emplace(glances.back().id, row);
  }
  return glances;
}

Result<spool::ViewedMail, SourceError> DatabaseView::load(MailId id) {
  auto in_page = rows_.find(id);
  if (in_page != rows_.end()) return viewed(page_, in_page->second, read_);
  auto found = ask_for({&kLookAt, {id_value(id)}});
  if (!found) return std::unexpected(found.error());
  if (found->empty()) return no_such_mail(id);
  return viewed(*found, 0, database_->loop().clock().wall());
}

Result<Rows, SourceError> DatabaseView::ask_for(Statement statement) {
  auto found = database_->ask({std::move(statement)});
  if (!found) return std::unexpected(to_source_error(SourceErrorKind::read_failed, found.error()));
  return std::move(found->front());
}

// A user of another machine is nobody here, whoever has the same number.
Result<spool::ViewedMail, SourceError> DatabaseView::viewed(const Rows& rows, std::size_t row,
                                                            WallTime now) const {
  const MailId id = id_in(rows, row);
  auto head = decode_head(rows.bytes(row, kEnvelopeColumn), rows.value(row, kProgressColumn));
  if (!head) return fail(SourceErrorKind::damaged, cat("the envelope of mail ", to_text(id), " is damaged"));
  if (rows.bytes(row, kOriginColumn) != place_.node) head->message.envelope.uid.reset();
  const Duration recorded(rows.number(row, kRecordedColumn)), due(rows.number(row, kDueColumn));
  head->progress.next_wait = std::max(due - recorded, Duration{0});
  head->progress.held = rows.flag(row, kHeldColumn);
  return spool::ViewedMail{
      .mail = {id, std::move(head->message.envelope), std::move(head->progress), head->message.arrival,
               static_cast<std::uint64_t>(rows.number(row, kSizeColumn)), nullptr},
      .written = now + recorded,
      .holder = holder_in(rows, row, now, place_.lease, place_.takeover)};
}

Result<void, SourceError> DatabaseView::read_content(MailId id, const Take& take) {
  auto intact = verify_content(id);
  if (!intact) return intact;
  auto row = ask_for({&kContent, {id_value(id)}});
  if (!row) return std::unexpected(row.error());
  if (row->empty()) return no_such_mail(id);
  return Content(*database_, id, *row).read(take);
}

Result<void, SourceError> DatabaseView::verify_content(MailId id) {
  auto row = ask_for({&kContent, {id_value(id)}});
  if (!row) return std::unexpected(row.error());
  if (row->empty()) return no_such_mail(id);
  return Content(*database_, id, *row).read([](std::string_view) { return true; });
}

}  // namespace hikyaku::postgresql
