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
    co_await io::sleep_until(loop_, loop_.within(kAnswer));
    co_return fail(DatabaseErrorKind::unreachable, "cut");
  }
  if (std::ranges::any_of(statements, wire_.refuses)) co_return fail(DatabaseErrorKind::refused, "refused");
  Results results = server_.apply(statements);
  const bool loses = wire_.lose_answers > 0;
  if (loses) --wire_.lose_answers;
  co_await io::sleep_until(loop_, loop_.within(wire_.delay()));
  if (!loses && !wire_.is_cut) co_return results;
  co_await io::sleep_until(loop_, loop_.within(kAnswer));
  co_return fail(DatabaseErrorKind::lost, "the answer was lost");
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
  if (query == &kHas) return one_row({flag(mails.contains(as_number(values[0])))});
  if (query == &kLoad) {
    Mail* mail = owned(values);
    return mail == nullptr ? Rows() : one_row({mail->envelope, mail->progress, text("node")});
  }
  if (query == &kFinish) {
    if (owned(values) == nullptr) return {};
    const std::int64_t id = as_number(values[0]);
    mails.erase(id);
    std::erase_if(pieces, [id](const auto& each) { return each.first.first == id; });
    return one_row({values[0]});
  }
  if (query == &kRecord) {
    Mail* mail = owned(values);
    if (mail == nullptr) return {};
    mail->progress = values[2];
    mail->held = as_number(values[3]) != 0;
    mail->recorded = loop_.now();
    mail->due = loop_.now() + Duration(as_number(values[4]));
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
  if (query == &kOwned)
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
  if (nodes.contains(epoch))
    mails.try_emplace(id, Mail{.owner = epoch,
                               .due = loop_.now(),
                               .recorded = loop_.now(),
                               .size = as_number(values[2]),
                               .pieces = as_number(values[3]),
                               .checksum = as_number(values[4]),
                               .envelope = values[5],
                               .progress = {},
                               .content = values[6]});
  auto found = mails.find(id);
  return one_row({flag(found != mails.end() && found->second.owner == epoch), flag(nodes.contains(epoch))});
}

Rows SimServer::claim(const Values& values) {
  Rows rows;
  const std::int64_t epoch = as_number(values[0]);
  auto node = nodes.find(epoch);
  if (node == nodes.end() || node->second <= loop_.now()) return rows;
  for (auto& [id, mail] : mails) {
    const bool is_free = mail.owner == 0 && mail.due <= loop_.now();
    if (!is_free || static_cast<std::int64_t>(rows.size()) >= as_number(values[1])) continue;
    mail.owner = epoch;
    add_found(rows, id, mail);
  }
  return rows;
}

Rows SimServer::take_over(const Values& values) {
  std::set<std::int64_t> dead;
  for (const auto& [epoch, alive_until] : nodes)
    if (alive_until < loop_.now() - Duration(as_number(values[0]))) dead.insert(epoch);
  for (std::int64_t epoch : dead) nodes.erase(epoch);
  const std::int64_t freed = free_all(dead, loop_.now() + Duration(as_number(values[1])));
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

SimServer::Mail* SimServer::owned(const Values& values) {
  auto found = mails.find(as_number(values[0]));
  return found != mails.end() && found->second.owner == as_number(values[1]) ? &found->second : nullptr;
}

void SimServer::add_found(Rows& rows, std::int64_t id, const Mail& mail) const {
  rows.add({number(id), number(mail.size), flag(mail.held),
            number(std::clamp<Duration>(loop_.now() - mail.recorded, 0s, 1h).count()),
            number(std::max<Duration>(mail.due - loop_.now(), 0s).count()), number(100)});
}

}  // namespace hikyaku::test
