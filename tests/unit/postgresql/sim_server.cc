// SPDX-License-Identifier: MIT
#include "tests/unit/postgresql/sim_server.h"

#include <algorithm>

#include "spool/postgresql/statements.h"

namespace hikyaku::test {

using namespace postgresql;

namespace {

constexpr Duration kAnswer = 400ms;  // after which a node gives a connection up

std::int64_t as_number(const Value& value) {
  Rows rows;
  rows.add({value});
  return rows.number(0, 0);
}
Value flag(bool is_set) { return std::string(1, is_set ? '\1' : '\0'); }

Rows one_row(std::vector<Value> row) {
  Rows rows;
  rows.add(std::move(row));
  return rows;
}

}  // namespace

Task<Result<Results, DatabaseError>> SimDatabase::run(Statements statements) {
  co_await io::sleep_until(loop_, loop_.within(wire_.delay()));
  if (wire_.is_cut) {
    server_.listeners.erase(this);
    co_await io::sleep_until(loop_, loop_.within(kAnswer));
    co_return fail(DatabaseErrorKind::unreachable, "cut");
  }
  if (std::ranges::any_of(statements, wire_.refuses)) co_return fail(DatabaseErrorKind::refused, "refused");
  const int lost = wire_.lose_answers;
  if (lost > 0) --wire_.lose_answers;
  const bool is_done = lost % 2 == 1 || lost == 0;
  Results results;
  if (is_done) {
    results = server_.apply(statements);
    tell_listeners(statements);
  }
  co_await io::sleep_until(loop_, loop_.within(wire_.delay()));
  if (lost == 0 && !wire_.is_cut) co_return results;
  co_await io::sleep_until(loop_, loop_.within(kAnswer));
  if (wire_.believes_lost && statements.front().query == &kAccept)
    co_return Results(statements.size(), one_row({flag(true), flag(true)}));
  co_return fail(DatabaseErrorKind::lost, "the answer was lost");
}

void SimDatabase::tell_listeners(const Statements& statements) {
  for (const Statement& statement : statements) {
    if (statement.query == &kListen) server_.listeners.insert(this);
    if (statement.query != &kRing) continue;
    ++server_.rings;
    for (SimDatabase* listener : server_.listeners)
      if (listener != this && !listener->wire_.is_cut && !listener->wire_.loses_rings) listener->ring();
  }
}

Results SimServer::apply(const Statements& statements) {
  Results results;
  for (const Statement& statement : statements) results.push_back(apply(statement));
  return results;
}

Rows SimServer::apply(const Statement& statement) {
  const auto& [query, values] = statement;
  if (query == &kAccept) return accept(values);
  if (query == &kClaim) return claim(values);
  if (query == &kTakeOver) return take_over(values);
  if (query == &kPutPiece || query == &kDropPieces || query == &kLoadPiece || query == &kLoadContent)
    return of_bodies(query, values);
  if (query == &kGetAccount || query == &kPutAccount) return of_accounts(query, values);
  if (query == &kAcceptNotice) return accept_notice(values);
  if (query == &kHas || query == &kNoteFile || query == &kForgetFile || query == &kSweepFiles)
    return of_files(query, values);
  if (query == &kLock) {
    const bool is_ours = owned(values, Clause::owner_in_notice) != nullptr;
    return is_ours ? one_row({values[0]}) : Rows();
  }
  if (query == &kLoad) {
    Mail* mail = owned(values);
    return mail == nullptr ? Rows() : one_row({mail->envelope, mail->progress, text("node")});
  }
  if (query == &kFinish) {
    if (owned(values, Clause::owner_in_finish) == nullptr) return {};
    const std::int64_t id = as_number(values[0]);
    mails.erase(id);
    std::erase_if(pieces, [id](const auto& each) { return each.first.first == id; });
    return one_row({values[0]});
  }
  if (query == &kRecord) {
    Mail* mail = owned(values, Clause::owner_in_record);
    if (mail == nullptr) return {};
    mail->progress = values[2];
    mail->held = as_number(values[3]) != 0;
    mail->recorded = loop_.now();
    mail->planned = Duration(as_number(values[4]));
    mail->due = loop_.now() + mail->planned;
    mail->state = as_number(values[6]);
    if (as_number(values[5]) != 0) mail->owner = 0;
    return one_row({values[0]});
  }
  return of_nodes(query, values);
}

Rows SimServer::of_nodes(const Query* query, const Values& values) {
  Rows rows;
  const std::int64_t epoch = values.empty() ? 0 : as_number(values[0]);
  if (query == &kIds) rows.add({number(std::exchange(next_ids_, next_ids_ + kIdBlock))});
  if (query == &kEnter) {
    nodes[next_epoch_] = loop_.now() + Duration(as_number(values[1]));
    rows.add({number(next_epoch_++), number(live_nodes())});
  }
  if (query == &kRenew && nodes.contains(epoch)) {
    nodes[epoch] = loop_.now() + Duration(as_number(values[1]));
    rows.add({values[0], number(live_nodes())});
  }
  if (query == &kLeave) nodes.erase(epoch);
  if (query == &kHandBack)
    for (auto& [id, mail] : mails)
      if (mail.owner == epoch) mail.owner = 0;
  if (query == &kOwned && left_out != Clause::rows_of_owned)
    for (auto& [id, mail] : mails)
      if (mail.owner == epoch) add_found(rows, id, mail);
  if (query == &kSweep) {
    std::set<std::int64_t> unknown;
    for (auto& [id, mail] : mails)
      if (!nodes.contains(mail.owner)) unknown.insert(mail.owner);
    unknown.erase(0);
    rows.add({number(free_all(unknown, loop_.now() + Duration(epoch)))});
  }
  if (std::string_view(query->name) == "has_schema") rows.add({flag(true)});
  if (query == &kNextDue) rows.add({next_due()});
  if (query == &kSettings) rows.add({text("on"), text("on"), number(0), number(0)});
  if (query == &kFormat) rows.add({number(1), number(checksum_key)});
  return rows;
}

std::int64_t SimServer::live_nodes() const {
  return std::ranges::count_if(nodes, [this](const auto& node) { return node.second > loop_.now(); });
}

Rows SimServer::of_accounts(const Query* query, const Values& values) {
  const std::string name = values[0].value_or("");
  if (query == &kGetAccount) {
    const auto found = accounts.find(name);
    const Value now = number(loop_.clock().wall().time_since_epoch().count());
    return found == accounts.end() ? one_row({now, number(0), {}})
                                   : one_row({now, number(found->second.first), found->second.second});
  }
  const auto found = accounts.find(name);
  const std::int64_t version = found == accounts.end() ? 0 : found->second.first;
  if (version == as_number(values[1])) accounts[name] = {as_number(values[2]), values[3].value_or("")};
  return one_row({flag(accounts.contains(name) && accounts[name].first == as_number(values[2]))});
}

Rows SimServer::of_bodies(const Query* query, const Values& values) {
  const std::int64_t id = as_number(values[0]), second = as_number(values[1]);
  if (query == &kPutPiece)
    pieces.try_emplace({id, as_number(values[2])},
                       Piece{second, as_number(values[3]), values[4].value_or("")});
  if (query == &kDropPieces && !mails.contains(id))
    std::erase_if(pieces, [id](const auto& each) { return each.first.first == id; });
  if (query == &kLoadPiece) {
    auto found = pieces.find({id, second});
    return found == pieces.end() ? Rows() : one_row({number(found->second.checksum), found->second.bytes});
  }
  Mail* mail = query == &kLoadContent ? owned(values) : nullptr;
  if (mail == nullptr) return {};
  return one_row({number(mail->size), number(mail->pieces), number(mail->checksum), mail->content});
}

Rows SimServer::accept(const Values& values) {
  const std::int64_t id = as_number(values[0]), epoch = as_number(values[1]);
  if (nodes.contains(epoch)) put(values, values[7]);
  auto found = mails.find(id);
  return one_row({flag(found != mails.end() && found->second.owner == epoch), flag(nodes.contains(epoch))});
}

Rows SimServer::accept_notice(const Values& values) {
  const std::int64_t id = as_number(values[0]), epoch = as_number(values[1]), about = as_number(values[7]);
  if (owned({values[7], values[1]}, Clause::owner_in_notice) != nullptr && !mails.contains(id)) {
    put(values, std::nullopt);
    notices[about].push_back(id);
  }
  auto found = mails.find(id);
  return one_row({flag(found != mails.end() && found->second.owner == epoch)});
}

void SimServer::put(const Values& values, Value progress) {
  mails.try_emplace(as_number(values[0]), Mail{.owner = as_number(values[1]),
                                               .due = loop_.now(),
                                               .recorded = loop_.now(),
                                               .size = as_number(values[2]),
                                               .pieces = as_number(values[3]),
                                               .checksum = as_number(values[4]),
                                               .envelope = values[5],
                                               .progress = std::move(progress),
                                               .content = values[6]});
}

Rows SimServer::of_files(const Query* query, const Values& values) {
  if (query == &kSweepFiles) return one_row({number(0)});
  const std::int64_t id = as_number(values[0]);
  if (query == &kNoteFile && mails.contains(id) && mails.at(id).owner == as_number(values[1]))
    files.insert(id);
  if (query == &kForgetFile) files.erase(id);
  return query == &kHas ? one_row({flag(mails.contains(id) || files.contains(id))}) : Rows();
}

Rows SimServer::claim(const Values& values) {
  Rows rows;
  ++claims;
  const std::int64_t epoch = as_number(values[0]);
  auto node = nodes.find(epoch);
  const bool is_alive = node != nodes.end() && node->second > loop_.now();
  if (!is_alive) return rows;
  for (auto& [id, mail] : mails) {
    const bool is_free = mail.owner == 0 && mail.due <= loop_.now();
    if (!is_free || static_cast<std::int64_t>(rows.size()) >= as_number(values[1])) continue;
    mail.owner = epoch;
    add_found(rows, id, mail);
  }
  return rows;
}

Value SimServer::next_due() const {
  std::optional<Instant> next;
  for (const auto& [id, mail] : mails)
    if (mail.owner == 0 && mail.due > loop_.now()) next = std::min(next.value_or(mail.due), mail.due);
  return next ? number((*next - loop_.now()).count()) : Value();
}

Rows SimServer::take_over(const Values& values) {
  std::set<std::int64_t> dead;
  for (const auto& [epoch, alive_until] : nodes)
    if (alive_until < loop_.now() - Duration(as_number(values[0]))) dead.insert(epoch);
  for (std::int64_t epoch : dead) nodes.erase(epoch);
  const Duration delay = left_out == Clause::delay_in_take_over ? 0s : Duration(as_number(values[1]));
  const std::int64_t freed = free_all(dead, loop_.now() + delay);
  return one_row({number(static_cast<std::int64_t>(dead.size())), number(freed)});
}

std::int64_t SimServer::free_all(const std::set<std::int64_t>& owners, Instant due) {
  std::int64_t freed = 0;
  for (auto& [id, mail] : mails) {
    if (!owners.contains(mail.owner)) continue;
    mail.owner = 0;
    mail.due = std::max(mail.due, due);
    ++freed;
  }
  return freed;
}

bool SimServer::has_living_owner(mail::MailId id) const {
  const auto mail = mails.find(static_cast<std::int64_t>(id.value));
  const auto node = mail == mails.end() ? nodes.end() : nodes.find(mail->second.owner);
  return node != nodes.end() && node->second > loop_.now();
}

// `values` begin with id and epoch.
SimServer::Mail* SimServer::owned(const Values& values, std::optional<Clause> clause) {
  auto found = mails.find(as_number(values[0]));
  const bool is_theirs =
      found != mails.end() && (found->second.owner == as_number(values[1]) || left_out == clause);
  return is_theirs ? &found->second : nullptr;
}

void SimServer::add_found(Rows& rows, std::int64_t id, const Mail& mail) const {
  rows.add({number(id), number(mail.size), flag(mail.held),
            number(std::clamp<Duration>(loop_.now() - mail.recorded, 0s, mail.planned + 1h).count()),
            number(std::max<Duration>(mail.due - loop_.now(), 0s).count()), number(100), number(mail.state)});
}

}  // namespace hikyaku::test
