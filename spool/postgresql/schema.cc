// SPDX-License-Identifier: MIT
#include "spool/postgresql/schema.h"

#include <array>

#include "daemon/base/clock.h"
#include "daemon/base/random.h"
#include "daemon/base/text.h"
#include "spool/postgresql/statements.h"

namespace hikyaku::postgresql {
namespace {

constexpr Duration kLongTransaction = 5min;

// Each table in a transaction of its own: what names it can be prepared only when it is there. Two that do this at the
// same time take turns, and `meta` comes last: while that is missing there is no spool.
const Query kLockSchema{"lock_schema", "SELECT pg_advisory_xact_lock(7450983364015132531)"};
constexpr std::array kTables{
    Query{"make_schema", "CREATE SCHEMA IF NOT EXISTS hikyaku"},
    Query{"make_mail_id", "CREATE SEQUENCE IF NOT EXISTS hikyaku.mail_id INCREMENT BY 1024 START WITH 1024"},
    Query{"make_epoch", "CREATE SEQUENCE IF NOT EXISTS hikyaku.epoch"},
    Query{"make_node", R"(
      CREATE TABLE IF NOT EXISTS hikyaku.node (
        epoch bigint PRIMARY KEY DEFAULT nextval('hikyaku.epoch'),
        name text NOT NULL,
        alive_until timestamptz NOT NULL,
        started timestamptz NOT NULL DEFAULT clock_timestamp()))"},
    Query{"make_mail", R"(
      CREATE TABLE IF NOT EXISTS hikyaku.mail (
        id bigint PRIMARY KEY,
        owner bigint,
        due timestamptz NOT NULL DEFAULT clock_timestamp(),
        recorded timestamptz NOT NULL DEFAULT clock_timestamp(),
        settles timestamptz,
        planned bigint NOT NULL DEFAULT 0,
        state bigint NOT NULL DEFAULT 0,
        held boolean NOT NULL DEFAULT false,
        origin text NOT NULL,
        size bigint NOT NULL,
        pieces bigint NOT NULL,
        checksum bigint NOT NULL,
        envelope bytea NOT NULL,
        progress bytea,
        content bytea)
      WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
            autovacuum_vacuum_cost_delay = 0))"},
    Query{"make_held", "CREATE INDEX IF NOT EXISTS mail_held ON hikyaku.mail (owner) WHERE held"},
    Query{"make_request_number", "CREATE SEQUENCE IF NOT EXISTS hikyaku.request_number"},
    Query{"make_request", R"(
      CREATE TABLE IF NOT EXISTS hikyaku.request (
        number bigint,
        mail bigint,
        node bigint,
        decision bigint NOT NULL,
        asker text NOT NULL,
        asked timestamptz NOT NULL DEFAULT clock_timestamp(),
        result bigint,
        why text,
        PRIMARY KEY (number, mail, node)))"},
    Query{"make_moved", R"(
      CREATE TABLE IF NOT EXISTS hikyaku.moved (
        move text,
        old bigint,
        mail bigint NOT NULL,
        PRIMARY KEY (move, old)))"},
    Query{"make_asked",
          "CREATE INDEX IF NOT EXISTS request_asked ON hikyaku.request (node) WHERE result IS NULL"},
    Query{"store_content", "ALTER TABLE hikyaku.mail ALTER content SET STORAGE EXTERNAL"},
    Query{"make_free", "CREATE INDEX IF NOT EXISTS mail_free ON hikyaku.mail (due) WHERE owner IS NULL"},
    Query{"make_owned",
          "CREATE INDEX IF NOT EXISTS mail_owned ON hikyaku.mail (owner) WHERE owner IS NOT NULL"},
    Query{"make_piece", R"(
      CREATE TABLE IF NOT EXISTS hikyaku.piece (
        mail bigint,
        number bigint,
        writer bigint NOT NULL,
        written timestamptz NOT NULL DEFAULT clock_timestamp(),
        checksum bigint NOT NULL,
        bytes bytea NOT NULL,
        PRIMARY KEY (mail, number)))"},
    Query{"store_pieces", "ALTER TABLE hikyaku.piece ALTER bytes SET STORAGE EXTERNAL"},
    Query{"make_account", R"(
      CREATE TABLE IF NOT EXISTS hikyaku.account (
        name bytea PRIMARY KEY,
        version bigint NOT NULL,
        state bytea NOT NULL,
        changed timestamptz NOT NULL DEFAULT clock_timestamp())
      WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200))"},
    Query{"make_file", R"(
      CREATE TABLE IF NOT EXISTS hikyaku.file (
        mail bigint PRIMARY KEY,
        noted timestamptz NOT NULL DEFAULT clock_timestamp()))"},
    Query{"make_meta", R"(
      CREATE TABLE IF NOT EXISTS hikyaku.meta (
        single boolean PRIMARY KEY DEFAULT true CHECK (single),
        format bigint NOT NULL,
        spool uuid NOT NULL DEFAULT gen_random_uuid(),
        checksum_key bigint NOT NULL))"},
};
const Query kWriteMeta{"write_meta", R"(
  INSERT INTO hikyaku.meta (format, checksum_key) VALUES ($1::bigint, $2::bigint) ON CONFLICT DO NOTHING)"};
const Query kHasSchema{"has_schema", "SELECT to_regclass('hikyaku.meta') IS NOT NULL"};

SchemaError explained(const DatabaseError& error) {
  const bool is_away = error.kind != DatabaseErrorKind::refused;
  return {is_away ? SchemaErrorKind::unreachable : SchemaErrorKind::refused, error.text};
}

// nullopt: there is none.
Task<Result<std::optional<Rows>, SchemaError>> read_meta(Database& database) {
  auto found = co_await database.run(Statements{{&kHasSchema, {}}});
  if (!found) co_return std::unexpected(explained(found.error()));
  if (!found->front().flag(0, 0)) co_return std::optional<Rows>();
  auto meta = co_await database.run(Statements{{&kFormat, {}}});
  if (!meta) co_return std::unexpected(explained(meta.error()));
  if (meta->front().empty()) co_return fail(SchemaErrorKind::refused, "the table hikyaku.meta is empty");
  if (meta->front().number(0, 0) > kSchemaFormat)
    co_return fail(SchemaErrorKind::later, "its tables are of a later version of hikyaku; update this one");
  co_return std::optional(std::move(meta->front()));
}

Result<std::vector<std::string>, SchemaError> judge(const Rows& settings) {
  for (std::size_t column : {0U, 1U}) {
    if (settings.bytes(0, column) == "on") continue;
    return fail(SchemaErrorKind::not_durable,
                cat("the server has ", column == 0 ? "fsync" : "full_page_writes",
                    " = off, so that it may lose accepted mail in a crash; switch it on"));
  }
  std::vector<std::string> notes;
  if (settings.number(0, 2) > 0)
    notes.emplace_back(
        "the database has an asynchronous standby: a failover to it may lose the last accepted mails; see "
        "synchronous_standby_names");
  if (settings.number(0, 3) > kLongTransaction.count())
    notes.emplace_back(cat("a transaction in the database has been open for ",
                           to_text(Duration(settings.number(0, 3))),
                           "; until it ends the tables of the shared spool grow; see pg_stat_activity"));
  return notes;
}

}  // namespace

Task<Result<bool, SchemaError>> init_schema(Database& database) {
  auto before = co_await read_meta(database);
  if (!before) co_return std::unexpected(before.error());
  if (before->has_value()) co_return false;
  for (const Query& table : kTables) {
    auto made = co_await database.run(Statements{{&kLockSchema, {}}, {&table, {}}});
    if (!made) co_return std::unexpected(explained(made.error()));
  }
  const auto key = static_cast<std::int64_t>(random_number());
  auto written = co_await database.run(Statements{{&kWriteMeta, {number(kSchemaFormat), number(key)}}});
  if (!written) co_return std::unexpected(explained(written.error()));
  co_return true;
}

Task<Result<CheckedSchema, SchemaError>> check_schema(Database& database) {
  auto meta = co_await read_meta(database);
  if (!meta) co_return std::unexpected(meta.error());
  if (!*meta)
    co_return fail(SchemaErrorKind::no_schema,
                   "there is no shared spool in it yet; run: hikyaku spool init URL");
  auto settings = co_await database.run(Statements{{&kSettings, {}}});
  if (!settings) co_return std::unexpected(explained(settings.error()));
  auto notes = judge(settings->front());
  if (!notes) co_return std::unexpected(notes.error());
  co_return CheckedSchema{static_cast<std::uint64_t>((*meta)->number(0, 1)), std::move(*notes)};
}

}  // namespace hikyaku::postgresql
