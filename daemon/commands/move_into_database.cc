// SPDX-License-Identifier: MIT
#include <utility>

#include "daemon/base/checksum.h"
#include "daemon/base/random.h"
#include "daemon/base/text.h"
#include "daemon/commands/move_parts.h"
#include "daemon/commands/progress.h"
#include "daemon/commands/spool_move.h"
#include "spool/payload.h"
#include "spool/postgresql/body.h"
#include "spool/postgresql/fleet_statements.h"
#include "spool/postgresql/statements.h"

namespace hikyaku::commands {

using mail::MailId;
using postgresql::BlockingDatabase;
using postgresql::id_value;
using postgresql::number;
using postgresql::Rows;
using postgresql::text;
using postgresql::Value;

namespace {

constexpr std::size_t kNameLength = 20;

class IntoDatabase {
 public:
  IntoDatabase(LocalPlace& from, BlockingDatabase& to, Move& move, std::string node, const OnMoved& on_moved)
      : from_(from), to_(to), move_(move), node_(std::move(node)), on_moved_(on_moved) {}

  Result<MoveReport, StartError> run() {
    Progress progress("moving mail");
    const auto entries = from_.spool().entries();
    progress.expect(entries.size());
    for (const mail::QueueEntry& entry : entries) {
      progress.count_one();
      auto done = move(entry);
      if (!done) return std::unexpected(done.error());
    }
    auto removed = move_.mark.remove();
    if (!removed) return cut_short(removed.error());
    (void)ask(to_, {{&postgresql::kForgetMove, {text(move_.name)}}});  // of no use any more, and of no harm
    return std::move(report_);
  }

 private:
  Result<void, StartError> move(const mail::QueueEntry& entry) {
    auto before = ask(to_, {{&postgresql::kMovedBefore, {text(move_.name), id_value(entry.id)}}});
    if (!before) return std::unexpected(before.error());
    if (before->empty()) {
      auto arrived = copy(entry);
      if (!arrived) return std::unexpected(arrived.error());
      if (!*arrived) return {};
      ++report_.moved;
      on_moved_(entry.id, **arrived);
    } else {
      ++report_.moved_before;
    }
    auto finished = from_.run(from_.spool().finish(entry.id));
    if (!finished) return cut_short(finished.error().text);
    return {};
  }

  // nullopt: it cannot be read, and stays.
  Result<std::optional<MailId>, StartError> copy(const mail::QueueEntry& entry) {
    auto mail = from_.run(from_.spool().load(entry.id));
    if (!mail) return leave(mail.error());
    auto id = next_id();
    if (!id) return std::unexpected(id.error());
    auto body = copy_content(entry.id, *id);
    if (!body) return std::unexpected(body.error());
    if (!*body) return std::optional<MailId>();
    mail->progress.waited += from_.spool().downtime();
    auto put = ask(to_, {{&postgresql::kMoveIn,
                          {text(move_.name), id_value(entry.id), id_value(*id), text(node_),
                           number(static_cast<std::int64_t>(mail->size)), number((*body)->pieces),
                           number(static_cast<std::int64_t>((*body)->sum)),
                           spool::encode_message_head({mail->arrival, mail->envelope}), (*body)->content,
                           spool::encode_progress(mail->progress, postgresql::kMostProgress),
                           number(mail->progress.held ? 1 : 0), number(entry.next_wait.count())}}});
    if (!put) return std::unexpected(put.error());
    return std::optional(MailId{static_cast<std::uint64_t>(put->number(0, 0))});
  }

  struct Body {
    std::int64_t pieces = 0;
    std::uint64_t sum = 0;
    Value content{};
  };
  // As body.cc has it: what is longer than a piece is in pieces.
  Result<std::optional<Body>, StartError> copy_content(MailId old, MailId id) {
    Body body;
    std::string piece;
    auto reader = from_.spool().open(old);
    if (!reader) return leave(reader.error());
    for (;;) {
      auto next = from_.run((*reader)->next());
      if (!next) return leave(next.error());
      const bool is_at_end = next->empty();
      piece.append(*next);
      while (piece.size() > postgresql::kPiece || (is_at_end && body.pieces > 0 && !piece.empty())) {
        auto put = put_piece(id, ++body.pieces, piece.substr(0, postgresql::kPiece));
        if (!put) return std::unexpected(put.error());
        piece.erase(0, postgresql::kPiece);
      }
      if (is_at_end) break;
    }
    body.sum = checksum(piece, postgresql::piece_seed(to_.checksum_key(), id, 0));
    if (body.pieces == 0) body.content = std::move(piece);
    return std::optional(std::move(body));
  }

  Result<Rows, StartError> put_piece(MailId id, std::int64_t piece, std::string bytes) {
    const std::uint64_t sum = checksum(bytes, postgresql::piece_seed(to_.checksum_key(), id, piece));
    return ask(to_, {{&postgresql::kPutPiece,
                      {id_value(id), number(0), number(piece), number(static_cast<std::int64_t>(sum)),
                       std::move(bytes)}}});
  }

  Result<MailId, StartError> next_id() {
    if (next_ == end_) {
      auto ids = ask(to_, {{&postgresql::kIds, {}}});
      if (!ids) return std::unexpected(ids.error());
      next_ = ids->number(0, 0);
      end_ = next_ + postgresql::kIdBlock;
    }
    return MailId{static_cast<std::uint64_t>(next_++)};
  }

  std::nullopt_t leave(const mail::SourceError& error) {
    report_.left.push_back(error.text);
    return std::nullopt;
  }

  LocalPlace& from_;
  BlockingDatabase& to_;
  Move& move_;
  std::string node_;
  const OnMoved& on_moved_;
  std::int64_t next_ = 0, end_ = 0;
  MoveReport report_;
};

}  // namespace

Result<MoveReport, StartError> move_into_database(const std::string& directory,
                                                  const postgresql::SharedPlace& fleet,
                                                  const OnMoved& on_moved) {
  auto to = BlockingDatabase::open(fleet.url);
  if (!to) return std::unexpected(to.error());
  auto from = LocalPlace::open(directory);
  if (!from) return std::unexpected(from.error());
  auto move = begin_move(directory, "to", (*to)->shown(),
                         [] { return Result<std::string, StartError>(random_token(kNameLength)); });
  if (!move) return std::unexpected(move.error());
  return IntoDatabase(**from, **to, *move, fleet.node, on_moved).run();
}

}  // namespace hikyaku::commands
