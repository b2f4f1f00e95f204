// SPDX-License-Identifier: MIT
#include "spool/postgresql/fleet_statements.h"

namespace hikyaku::postgresql {

#define HIKYAKU_FROM_NOW(time) "(extract(epoch FROM " time " - clock_timestamp()) * 1000000)::bigint"
#define HIKYAKU_LOOK_AT \
  "SELECT m.id, m.size, m.held, " HIKYAKU_FROM_NOW("m.recorded") ", " HIKYAKU_FROM_NOW("m.due") ", " \
  "m.owner, n.name, " HIKYAKU_FROM_NOW("n.alive_until") ", m.origin, "
#define HIKYAKU_OF_NODES " FROM hikyaku.mail m LEFT JOIN hikyaku.node n ON n.epoch = m.owner "

const Query kPage{"page", HIKYAKU_LOOK_AT R"(
         CASE WHEN length(m.envelope) + coalesce(length(m.progress), 0) <= 16384 THEN m.envelope END,
         CASE WHEN length(m.envelope) + coalesce(length(m.progress), 0) <= 16384 THEN m.progress END)" HIKYAKU_OF_NODES
                                          "WHERE m.id > $1::bigint ORDER BY m.id LIMIT $2::bigint"};

const Query kLookAt{"look_at",
                    HIKYAKU_LOOK_AT "m.envelope, m.progress" HIKYAKU_OF_NODES "WHERE m.id = $1::bigint"};

#undef HIKYAKU_OF_NODES
#undef HIKYAKU_LOOK_AT

// The order keeps the planner on the partial indexes.
const Query kNodes{"nodes", R"(
  SELECT n.epoch, n.name, )" HIKYAKU_FROM_NOW("n.started") ", " HIKYAKU_FROM_NOW("n.alive_until") R"(,
         (SELECT count(*) FROM (SELECT FROM hikyaku.mail WHERE owner = n.epoch LIMIT $1::bigint) AS few),
         (SELECT count(*) FROM (SELECT FROM hikyaku.mail WHERE held AND owner = n.epoch LIMIT $1::bigint) AS few)
    FROM hikyaku.node n
   UNION ALL
  SELECT NULL, NULL, NULL, NULL,
         (SELECT count(*) FROM (SELECT FROM hikyaku.mail WHERE owner IS NULL ORDER BY due LIMIT $1::bigint) AS few),
         (SELECT count(*) FROM (SELECT FROM hikyaku.mail WHERE held AND owner IS NULL LIMIT $1::bigint) AS few)
   ORDER BY 2 NULLS LAST, 1)"};

#undef HIKYAKU_FROM_NOW

const Query kQueue{"queue", R"(
  SELECT (SELECT envelope FROM hikyaku.mail ORDER BY id LIMIT 1),
         (SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'hikyaku.mail_free'::regclass))"};

const Query kMakeDue{"make_due", R"(
  UPDATE hikyaku.mail SET due = greatest(clock_timestamp(), settles)
   WHERE id = $1::bigint AND owner IS NULL AND NOT held RETURNING id)"};

const Query kMakeAllDue{"make_all_due", R"(
  WITH made AS (
    UPDATE hikyaku.mail SET due = greatest(clock_timestamp(), settles)
     WHERE owner IS NULL AND NOT held AND due > clock_timestamp() RETURNING id)
  SELECT count(*) FROM made)"};

const Query kRequestNumber{"request_number", "SELECT nextval('hikyaku.request_number')"};

const Query kAsk{"ask", R"(
  INSERT INTO hikyaku.request (number, mail, node, decision, asker)
  SELECT $1::bigint, $2::bigint, n.epoch, $3::bigint, $4::text
    FROM hikyaku.mail m JOIN hikyaku.node n ON n.epoch = m.owner WHERE m.id = $2::bigint
      ON CONFLICT DO NOTHING)"};

const Query kAskAll{"ask_all", R"(
  INSERT INTO hikyaku.request (number, mail, node, decision, asker)
  SELECT $1::bigint, 0, epoch, $3::bigint, $4::text
    FROM hikyaku.node WHERE epoch <> $2::bigint ON CONFLICT DO NOTHING)"};

const Query kAsked{"asked", R"(
  SELECT number, mail, decision, asker FROM hikyaku.request
   WHERE node = $1::bigint AND result IS NULL ORDER BY number, mail LIMIT $2::bigint)"};

const Query kAnswer{"answer", R"(
  UPDATE hikyaku.request SET result = $4::bigint, why = $5::text
   WHERE number = $1::bigint AND mail = $2::bigint AND node = $3::bigint)"};

const Query kAnswers{"answers", R"(
  SELECT mail, result, why FROM hikyaku.request WHERE number = $1::bigint AND result IS NOT NULL)"};

const Query kTakeBack{"take_back", "DELETE FROM hikyaku.request WHERE number = $1::bigint"};

const Query kSweepRequests{
    "sweep_requests", "DELETE FROM hikyaku.request WHERE asked < clock_timestamp() - interval '10 minutes'"};

const Query kContent{"content", R"(
  SELECT size, pieces, checksum, content FROM hikyaku.mail WHERE id = $1::bigint)"};

const Query kBodies{"bodies", R"(
  SELECT count(*) FILTER (WHERE EXISTS (SELECT FROM hikyaku.mail WHERE id = p.mail)),
         count(*) FILTER (WHERE NOT EXISTS (SELECT FROM hikyaku.mail WHERE id = p.mail))
    FROM hikyaku.piece p WHERE number = 1)"};

const Query kMoveIn{"move_in", R"(
  WITH noted AS (
    INSERT INTO hikyaku.moved (move, old, mail) VALUES ($1::text, $2::bigint, $3::bigint)
        ON CONFLICT DO NOTHING RETURNING mail),
  put AS (
    INSERT INTO hikyaku.mail (id, origin, size, pieces, checksum, envelope, content, progress, held, planned, due)
    SELECT mail, $4::text, $5::bigint, $6::bigint, $7::bigint, $8::bytea, $9::bytea, $10::bytea,
           $11::bigint <> 0, $12::bigint, clock_timestamp() + $12::bigint * interval '1 microsecond' FROM noted)
  SELECT mail FROM noted UNION SELECT mail FROM hikyaku.moved WHERE move = $1::text AND old = $2::bigint)"};

const Query kMovedBefore{"moved_before",
                         "SELECT mail FROM hikyaku.moved WHERE move = $1::text AND old = $2::bigint"};

const Query kForgetMove{"forget_move", "DELETE FROM hikyaku.moved WHERE move = $1::text"};

// Mail of an owner that is no node any more is found by the next sweep: nobody has it.
mail::Holder holder_in(const Rows& rows, std::size_t row, WallTime now, Duration lease, Duration takeover) {
  if (rows.is_null(row, kNodeColumn)) return {};
  mail::Holder holder{.node = std::string(rows.bytes(row, kNodeColumn))};
  const WallTime alive_until = now + Duration(rows.number(row, kAliveColumn));
  if (alive_until >= now) return holder;
  holder.away_since = alive_until;
  holder.free_at = alive_until + lease / 2 + takeover;
  return holder;
}

}  // namespace hikyaku::postgresql
