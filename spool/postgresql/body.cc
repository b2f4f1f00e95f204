// SPDX-License-Identifier: MIT
#include "spool/postgresql/body.h"

#include <algorithm>
#include <utility>

#include "daemon/base/checksum.h"
#include "daemon/base/text.h"
#include "spool/payload.h"
#include "spool/postgresql/statements.h"

namespace hikyaku::postgresql {

using mail::SinkError;
using mail::SinkErrorKind;
using mail::SourceError;
using mail::SourceErrorKind;
using spool::Share;

namespace {

constexpr std::uint64_t kFirstRoom = 4U << 10;
constexpr std::uint64_t kSmall = 64U << 10;  // what Share::small is for
constexpr int kAcceptTries = 3;
constexpr std::size_t kContentValue = 6;  // where kAccept has it

Value checksum_value(std::string_view bytes, std::uint64_t seed) {
  return number(static_cast<std::int64_t>(checksum(bytes, seed)));
}

}  // namespace

// ---- in

BodyWriter::~BodyWriter() {
  if (pieces_ > 0 && is_dropped_) core_.drop_pieces(id_, epoch_);
}

Task<Result<void, SinkError>> BodyWriter::write(std::string_view bytes) {
  while (!bytes.empty()) {
    auto room = co_await make_room(bytes.size());
    if (!room) co_return room;
    const std::size_t taken = std::min<std::size_t>(bytes.size(), memory_.bytes() - piece_.size());
    piece_.append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
  }
  co_return {};
}

// For one byte at least. Where there is no more memory, a piece is shorter.
Task<Result<void, SinkError>> BodyWriter::make_room(std::size_t wanted) {
  if (memory_.bytes() == 0) {
    auto memory = co_await core_.budget.reserve(Share::small, kFirstRoom, spool::kMemoryTimeout);
    if (!memory)
      co_return fail(SinkErrorKind::no_memory, "memory for mail in transit is used up (see `memory`)");
    memory_ = std::move(*memory);
  }
  while (piece_.size() + wanted > memory_.bytes() && grow()) continue;
  if (piece_.size() < memory_.bytes()) co_return {};
  auto put = co_await put_piece();
  co_return put;
}

bool BodyWriter::grow() {
  const std::uint64_t most = std::min(memory_.bytes() * 2, kPiece);
  return most > memory_.bytes() && memory_.move_to(most <= kSmall ? Share::small : Share::large, most);
}

Task<Result<void, SinkError>> BodyWriter::put_piece() {
  const std::size_t size = piece_.size();
  const Value sum = checksum_value(piece_, core_.seed(id_, ++pieces_));
  auto done = co_await core_.commits.run(Statements{
      {&kPutPiece, {id_value(id_), number(epoch_), number(pieces_), sum, std::exchange(piece_, {})}}});
  if (!done) co_return std::unexpected(to_sink_error(done.error()));
  size_ += size;
  co_return {};
}

Task<Result<void, SinkError>> BodyWriter::commit(mail::Envelope envelope) {
  if (pieces_ > 0 && !piece_.empty()) {
    auto put = co_await put_piece();
    if (!put) co_return put;
  }
  size_ += piece_.size();
  spool::MessageHead head{arrival(), std::move(envelope)};
  std::string encoded = spool::encode_message_head(head);
  const OwnedMail mail{.epoch = epoch_, .size = size_, .head = encoded.size()};
  const Value sum = checksum_value(piece_, core_.seed(id_, 0));
  Value content = pieces_ > 0 ? Value() : Value(std::exchange(piece_, {}));
  Statement statement{
      &kAccept,
      {id_value(id_), number(epoch_), number(static_cast<std::int64_t>(size_)), number(pieces_), sum,
       std::move(encoded), std::move(content), progress(head.envelope.recipients.size())}};
  if (origin_.about) {
    keep_with_its_mail(std::move(statement), mail);
    co_return {};
  }
  Statements statements{std::move(statement)};
  if (origin_.is_in_file) statements.push_back({&kNoteFile, {id_value(id_), number(epoch_)}});
  auto stored = co_await accept(statements);
  if (!stored) co_return stored;
  is_dropped_ = false;
  keep_in_memory(std::move(head), std::move(statements.front().values[kContentValue]));
  core_.arrive(id_, mail);
  co_return stored;
}

void BodyWriter::keep_in_memory(spool::MessageHead head, Value content) {
  const bool is_whole = content && !origin_.handover;
  if (is_whole)
    core_.keep_in_memory(id_, std::make_shared<spool::CachedMail>(std::move(head), std::move(*content),
                                                                  std::exchange(memory_, {})));
  memory_.shrink_to(0);
}

// NULL: nothing has been tried so far.
Value BodyWriter::progress(std::size_t recipients) const {
  if (!origin_.handover) return std::nullopt;
  return spool::encode_progress(mail::progress_of(*origin_.handover, recipients), kMostProgress);
}

// Two machines' clocks may differ; nothing arrives later than now.
WallTime BodyWriter::arrival() const {
  const WallTime now = core_.loop.clock().wall();
  return origin_.handover ? std::min(origin_.handover->arrival, now) : now;
}

void BodyWriter::keep_with_its_mail(Statement statement, const OwnedMail& mail) {
  statement.query = &kAcceptNotice;
  statement.values.back() = id_value(*origin_.about);
  is_dropped_ = false;
  core_.notices.add(*origin_.about, {.id = id_,
                                     .mail = mail,
                                     .accept = std::move(statement),
                                     .has_pieces = pieces_ > 0,
                                     .memory = std::move(memory_)});
}

// A row that another run of the statement has put there may become visible to it a moment later: then the next run
// sees it. Who is not alive has no right to own mail.
Task<Result<void, SinkError>> BodyWriter::accept(const Statements& statements) {
  for (int tries = 0; tries < kAcceptTries; ++tries) {
    auto done = co_await core_.commits.run(statements);
    if (!done) {
      is_dropped_ = done.error().kind == DatabaseErrorKind::refused;
      if (!is_dropped_) core_.claims.note_doubt();
      co_return std::unexpected(to_sink_error(done.error()));
    }
    const bool is_stored = done->front().flag(0, 0), is_alive = done->front().flag(0, 1);
    if (is_stored) co_return {};
    if (!is_alive) break;
  }
  co_return fail(SinkErrorKind::write_failed, "this node was cut off from the spool's database for too long");
}

// ---- out

Task<Result<std::string_view, SourceError>> BodyReader::next() {
  if (!std::exchange(is_begun_, true)) {
    cached_ = core_.cache.find(id_);
    if (cached_ != nullptr) co_return all_from_memory();
    auto begun = co_await begin();
    is_begun_ = begun.has_value();
    if (!begun) co_return std::unexpected(begun.error());
  } else {
    piece_.clear();
  }
  if (next_ < pieces_) {
    auto loaded = co_await load_piece();
    if (!loaded) co_return std::unexpected(loaded.error());
  }
  if (!piece_.empty()) co_return std::string_view(piece_);
  if (given_ != expected_)
    co_return fail(SourceErrorKind::damaged,
                   cat("mail ", to_text(id_), " has not the size that it should have"));
  let_go();
  co_return std::string_view();
}

std::string_view BodyReader::all_from_memory() {
  pieces_ = 0;
  given_ = cached_->content.size();
  return cached_->content;
}

Task<Result<void, SourceError>> BodyReader::begin() {
  auto memory = co_await core_.budget.reserve(Share::readers, std::clamp<std::uint64_t>(expected_, 1, kPiece),
                                              spool::kMemoryTimeout);
  if (!memory)
    co_return fail(SourceErrorKind::no_memory, "memory for mail in transit is used up (see `memory`)");
  memory_ = std::move(*memory);
  auto found = co_await core_.reads.run(Statements{{&kLoadContent, {id_value(id_), number(epoch_)}}});
  if (!found) co_return std::unexpected(to_source_error(SourceErrorKind::read_failed, found.error()));
  Rows& rows = found->front();
  if (rows.empty()) co_return std::unexpected(core_.unknown(id_));
  pieces_ = rows.number(0, 1);
  if (pieces_ > 0) co_return {};
  co_return keep(rows.take(0, 3), rows.number(0, 2), 0);
}

Task<Result<void, SourceError>> BodyReader::load_piece() {
  const std::int64_t piece = ++next_;
  auto found = co_await core_.reads.run(Statements{{&kLoadPiece, {id_value(id_), number(piece)}}});
  if (!found) co_return std::unexpected(to_source_error(SourceErrorKind::read_failed, found.error()));
  Rows& rows = found->front();
  if (rows.empty() && !may_be_sent()) co_return std::unexpected(core_.unknown(id_));
  if (rows.empty())
    co_return fail(SourceErrorKind::damaged, cat("a piece of mail ", to_text(id_), " is missing"));
  co_return keep(rows.take(0, 1), rows.number(0, 0), piece);
}

Result<void, SourceError> BodyReader::keep(std::string bytes, std::int64_t sum, std::int64_t piece) {
  if (checksum(bytes, core_.seed(id_, piece)) != static_cast<std::uint64_t>(sum))
    return fail(SourceErrorKind::damaged, cat("the content of mail ", to_text(id_), " is damaged"));
  given_ += bytes.size();
  piece_ = std::move(bytes);
  return {};
}

Task<Result<void, SourceError>> BodyReader::rewind() {
  let_go();
  given_ = 0;
  is_begun_ = false;
  next_ = 0;
  co_return {};
}

void BodyReader::let_go() {
  piece_ = std::string();
  cached_ = nullptr;
  memory_ = spool::Reservation();
}

}  // namespace hikyaku::postgresql
