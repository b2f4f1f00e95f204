// SPDX-License-Identifier: MIT
#include "daemon/commands/move_parts.h"

#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::commands {
namespace {

constexpr std::string_view kAgain = "; run the same command again, which ends the move";

}  // namespace

std::unexpected<StartError> cut_short(std::string_view why) {
  return fail(Exit::try_again, cat(why, kAgain));
}

Result<postgresql::Rows, StartError> ask(postgresql::BlockingDatabase& database,
                                         postgresql::Statements statements) {
  auto results = database.ask(std::move(statements));
  if (!results) return cut_short(cat(database.shown(), ": ", results.error().text));
  return std::move(results->back());
}

Result<std::unique_ptr<LocalPlace>, StartError> LocalPlace::open(const std::string& directory) {
  std::unique_ptr<LocalPlace> place(new LocalPlace);
  auto disk = spool::open_disk(directory);
  if (!disk) return fail(Exit::no_input, cat("spool ", directory, ": ", disk.error().text));
  place->disk_ = std::move(*disk);
  auto spool = place->run(spool::Spool::open(place->loop_, *place->disk_, {}));
  if (!spool) {
    const bool is_locked = spool.error().kind == spool::SpoolErrorKind::locked;
    return fail(is_locked ? Exit::unavailable : Exit::io, cat("spool ", directory, ": ", spool.error().text,
                                                              is_locked ? "; stop that daemon first" : ""));
  }
  place->spool_ = std::move(*spool);
  return place;
}

LocalPlace::~LocalPlace() {
  if (spool_) run(spool_->close());
}

Result<Move, StartError> begin_move(const std::string& directory, std::string_view direction,
                                    const std::string& shown, const MakeName& make_name) {
  auto mark = system::MoveMark::open(directory);
  if (!mark) return fail(Exit::cannot_create, mark.error());
  if (mark->lines().empty()) {
    auto name = make_name();
    if (!name) return std::unexpected(name.error());
    auto added = mark->add(cat(direction, " ", *name, " ", shown));
    if (!added) return fail(Exit::io, added.error());
    return Move{std::move(*mark), std::move(*name)};
  }
  const auto words = split(mark->lines().front(), ' ');
  const bool is_this = words.size() == 3 && words[0] == direction && words[2] == shown;
  if (!is_this)
    return fail(Exit::unavailable, cat(directory, " has a move that did not come to its end (",
                                       printable(mark->lines().front()), "): end that one first"));
  std::string name(words[1]);
  return Move{std::move(*mark), std::move(name)};
}

}  // namespace hikyaku::commands
