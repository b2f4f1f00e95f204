// SPDX-License-Identifier: MIT
#include <utility>

#include "daemon/base/text.h"
#include "daemon/commands/move_parts.h"
#include "daemon/commands/progress.h"
#include "daemon/commands/spool_move.h"
#include "daemon/mail/handover.h"
#include "spool/postgresql/fleet_statements.h"
#include "spool/postgresql/statements.h"

namespace hikyaku::commands {

using mail::MailId;
using postgresql::BlockingDatabase;
using postgresql::id_value;
using postgresql::number;
using postgresql::Rows;
using postgresql::text;

namespace {

constexpr std::size_t kPageOfMove = 256;
constexpr Duration kMoverLease = 5min;
constexpr std::string_view kNewLife = "epoch ";

// The move is a node of its own meanwhile, whose epoch is its name: a second run goes on as the same.
class IntoDirectory {
 public:
  IntoDirectory(postgresql::DatabaseView& from, const postgresql::SharedPlace& fleet, LocalPlace& to,
                Move& move, std::int64_t epoch, const OnMoved& on_moved)
      : from_(from), fleet_(fleet), to_(to), move_(move), epoch_(epoch), on_moved_(on_moved) {}

  Result<MoveReport, StartError> run() {
    auto alone = stay_alone();
    if (!alone) return std::unexpected(alone.error());
    auto ended = end_earlier_run();
    if (!ended) return std::unexpected(ended.error());
    auto moved = move_all();
    if (!moved) return std::unexpected(moved.error());
    auto left = ask(from_.database(),
                    {{&postgresql::kHandBack, {number(epoch_)}}, {&postgresql::kLeave, {number(epoch_)}}});
    if (!left) return std::unexpected(left.error());
    auto removed = move_.mark.remove();
    if (!removed) return cut_short(removed.error());
    return std::move(report_);
  }

 private:
  // Nodes that have died are declared so, as any node would; a living one has mail, and takes what comes free.
  Result<void, StartError> stay_alone() {
    const Duration grace = fleet_.lease / 2;
    auto nodes = ask(from_.database(),
                     {{&postgresql::kTakeOver, {number(grace.count()), number(fleet_.takeover.count())}},
                      {&postgresql::kSweep, {number(fleet_.takeover.count())}},
                      {&postgresql::kRenew, {number(epoch_), number(kMoverLease.count())}},
                      {&postgresql::kNodes, {number(1)}}});
    if (!nodes) return std::unexpected(nodes.error());
    for (std::size_t row = 0; row < nodes->size(); ++row) {
      const bool is_other = !nodes->is_null(row, 0) && nodes->number(row, 0) != epoch_;
      if (is_other)
        return fail(Exit::unavailable, cat("the node ", printable(nodes->bytes(row, 1)),
                                           nodes->number(row, 3) > 0
                                               ? " is alive and uses this spool: stop it first, and then move"
                                               : " died a moment ago: move when its mail has come free"));
    }
    return {};
  }

  // What was on its way then has arrived, or has not.
  Result<void, StartError> end_earlier_run() {
    for (std::size_t line = 1; line < move_.mark.lines().size(); ++line) {
      const auto words = split(move_.mark.lines()[line], ' ');
      const auto old = words.empty() ? std::nullopt : mail::parse_mail_id(words.front());
      const auto id = words.size() == 2 ? mail::parse_mail_id(words.back()) : std::nullopt;
      if (!old || !id) continue;
      auto has = to_.run(to_.spool().has(*id));
      if (!has) return cut_short(has.error().text);
      if (!*has) continue;
      waited_ = Duration{0};
      auto done = end_mail(*old, *id);
      if (!done) return std::unexpected(done.error());
      if (*done) ++report_.moved_before;
    }
    return {};
  }

  Result<void, StartError> move_all() {
    Progress progress("moving mail");
    for (MailId after;;) {
      auto page = from_.page_after(after, kPageOfMove);
      if (!page) return cut_short(page.error().text);
      if (page->empty()) return {};
      for (const spool::Glance& glance : *page) {
        progress.count_one();
        auto moved = move(glance.id);
        if (!moved) return moved;
      }
      after = page->back().id;
    }
  }

  // Makes it this move's: its state and how long it has waited. No rows: it is somebody else's.
  Result<Rows, StartError> take(MailId id) {
    auto own = ask(from_.database(), {{&postgresql::kRenew, {number(epoch_), number(kMoverLease.count())}},
                                      {&postgresql::kLoad, {id_value(id), number(epoch_)}}});
    if (!own || !own->empty()) return own;
    auto taken = ask(from_.database(), {{&postgresql::kTake, {number(epoch_), id_value(id)}}});
    if (taken && !taken->empty()) waited_ = Duration(taken->number(0, 3));
    return taken;
  }

  Result<void, StartError> move(MailId old) {
    waited_ = Duration{0};
    auto taken = take(old);
    if (!taken) return std::unexpected(taken.error());
    if (taken->empty()) {
      report_.why_not_all =
          "some mail was a node's that died a moment ago, and has not come free yet: run the same command "
          "again in some "
          "minutes";
      return {};
    }
    auto mail = from_.load(old);
    if (!mail) return leave(mail.error());
    auto id = copy(*mail);
    if (!id) return std::unexpected(id.error());
    if (!*id) return {};
    auto done = end_mail(old, **id);
    if (!done) return std::unexpected(done.error());
    if (*done) ++report_.moved;
    if (*done) on_moved_(old, **id);
    return {};
  }

  // nullopt: it cannot be read, and stays.
  Result<std::optional<MailId>, StartError> copy(const spool::ViewedMail& viewed) {
    const mail::QueuedMail& mail = viewed.mail;
    auto writer = to_.spool().begin_handed_over(mail::handover_of(mail));
    if (!writer) return cut_short(writer.error().text);
    Result<void, mail::SinkError> written;
    auto read = from_.read_content(mail.id, [&](std::string_view piece) {
      written = to_.run((*writer)->write(piece));
      return written.has_value();
    });
    if (!written) return cut_short(written.error().text);
    if (!read) {
      report_.left.push_back(read.error().text);
      return std::optional<MailId>();
    }
    auto noted = move_.mark.add(cat(to_text(mail.id), " ", to_text((*writer)->id())));
    if (!noted) return cut_short(noted.error());
    auto committed = to_.run((*writer)->commit(mail.envelope));
    if (!committed) return cut_short(committed.error().text);
    return std::optional((*writer)->id());
  }

  // The mail is in the directory under `id`. Its state follows, which may be there already, and it leaves the database.
  // False: it had left that before; or another node has it now, and it leaves the directory again.
  Result<bool, StartError> end_mail(MailId old, MailId id) {
    auto taken = take(old);
    if (!taken) return std::unexpected(taken.error());
    auto mail = from_.load(old);
    const bool has_left = !mail && mail.error().kind == mail::SourceErrorKind::unknown_mail;
    if (has_left) return false;
    if (!mail) return cut_short(mail.error().text);
    mail->mail.progress.waited += waited_;
    auto recorded = to_.run(to_.spool().record(id, std::move(mail->mail.progress), mail::MayGo::no));
    if (!recorded) return cut_short(recorded.error().text);
    auto finished = ask(from_.database(), {{&postgresql::kFinish, {id_value(old), number(epoch_)}}});
    if (!finished) return std::unexpected(finished.error());
    if (!finished->empty()) return true;
    auto undone = to_.run(to_.spool().finish(id));
    if (!undone) return cut_short(undone.error().text);
    return false;
  }

  Result<void, StartError> leave(const mail::SourceError& error) {
    if (error.kind != mail::SourceErrorKind::unknown_mail) report_.left.push_back(error.text);
    return {};
  }

  postgresql::DatabaseView& from_;
  const postgresql::SharedPlace& fleet_;
  LocalPlace& to_;
  Move& move_;
  std::int64_t epoch_;
  const OnMoved& on_moved_;
  Duration waited_{0};  // since its last record, of the mail that was taken last
  MoveReport report_;
};

// Of the last life that the mark tells of, or of a new one if that was declared dead meanwhile.
Result<std::int64_t, StartError> epoch_of(Move& move, BlockingDatabase& database, const MakeName& enter) {
  std::string name = move.name;
  for (const std::string& line : move.mark.lines())
    if (line.starts_with(kNewLife)) name = line.substr(kNewLife.size());
  const auto known = parse_number(name);
  if (!known) return fail(Exit::damaged, cat("the file `moving` of the move is damaged: ", printable(name)));
  const auto epoch = static_cast<std::int64_t>(*known);
  auto renewed = ask(database, {{&postgresql::kRenew, {number(epoch), number(kMoverLease.count())}}});
  if (!renewed) return std::unexpected(renewed.error());
  if (!renewed->empty()) return epoch;
  auto entered = enter();
  if (!entered) return std::unexpected(entered.error());
  auto noted = move.mark.add(cat(kNewLife, *entered));
  if (!noted) return cut_short(noted.error());
  return static_cast<std::int64_t>(parse_number(*entered).value_or(0));
}

}  // namespace

Result<MoveReport, StartError> move_into_directory(const postgresql::SharedPlace& fleet,
                                                   const std::string& directory, const OnMoved& on_moved) {
  auto from = postgresql::DatabaseView::open(fleet);
  if (!from) return std::unexpected(from.error());
  auto to = LocalPlace::open(directory);
  if (!to) return std::unexpected(to.error());
  BlockingDatabase& database = (*from)->database();
  auto enter = [&]() -> Result<std::string, StartError> {
    auto entered =
        ask(database,
            {{&postgresql::kEnter, {text(cat("spool move at ", fleet.node)), number(kMoverLease.count())}}});
    if (!entered) return std::unexpected(entered.error());
    return std::to_string(entered->number(0, 0));
  };
  auto move = begin_move(directory, "from", database.shown(), enter);
  if (!move) return std::unexpected(move.error());
  auto epoch = epoch_of(*move, database, enter);
  if (!epoch) return std::unexpected(epoch.error());
  return IntoDirectory(**from, fleet, **to, *move, *epoch, on_moved).run();
}

}  // namespace hikyaku::commands
