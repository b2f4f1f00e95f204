// SPDX-License-Identifier: MIT
#include "spool/postgresql/statements.h"

namespace hikyaku::postgresql {

// A node that is cut off in the middle of a group holds locks on its mails, and a take-over waits for them: so the
// server must find out soon that nobody is there any more, and not after two hours.
const Query kSession{"session", R"(
  SELECT set_config('statement_timeout', $1::text, false),
         set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false),
         set_config('tcp_keepalives_count', '3', false),
         set_config('synchronous_commit',
                    CASE WHEN current_setting('synchronous_commit') = 'remote_apply' THEN 'remote_apply' ELSE 'on' END,
                    false))"};

const Query kMark{"mark", "SELECT pg_logical_emit_message(true, 'hikyaku', '')::text"};

const Query kFormat{"format", "SELECT format, checksum_key FROM hikyaku.meta"};

const Query kSettings{"settings", R"(
  SELECT current_setting('fsync'), current_setting('full_page_writes'),
         (SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'async'),
         (SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start) * 1000000), 0)::bigint
            FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid()))"};

const Query kIds{"ids", "SELECT nextval('hikyaku.mail_id')"};

const Query kEnter{"enter", R"(
  INSERT INTO hikyaku.node (name, alive_until)
  VALUES ($1::text, clock_timestamp() + $2::bigint * interval '1 microsecond')
  RETURNING epoch, 1 + (SELECT count(*) FROM hikyaku.node WHERE alive_until > clock_timestamp()))"};

const Query kRenew{"renew", R"(
  UPDATE hikyaku.node SET alive_until = clock_timestamp() + $2::bigint * interval '1 microsecond'
   WHERE epoch = $1::bigint
  RETURNING epoch, 1 + (SELECT count(*) FROM hikyaku.node
                         WHERE alive_until > clock_timestamp() AND epoch <> $1::bigint))"};

const Query kLeave{"leave", "DELETE FROM hikyaku.node WHERE epoch = $1::bigint"};

const Query kHandBack{"hand_back", "UPDATE hikyaku.mail SET owner = NULL WHERE owner = $1::bigint"};

const Query kTakeOver{"take_over", R"(
  WITH dead AS (
    DELETE FROM hikyaku.node
     WHERE alive_until < clock_timestamp() - $1::bigint * interval '1 microsecond' RETURNING epoch),
  freed AS (
    UPDATE hikyaku.mail
       SET owner = NULL, due = greatest(due, clock_timestamp() + $2::bigint * interval '1 microsecond'),
           settles = clock_timestamp() + $2::bigint * interval '1 microsecond'
     WHERE owner IN (SELECT epoch FROM dead) RETURNING id)
  SELECT (SELECT count(*) FROM dead), (SELECT count(*) FROM freed))"};

const Query kSweep{"sweep", R"(
  WITH freed AS (
    UPDATE hikyaku.mail m
       SET owner = NULL, due = greatest(due, clock_timestamp() + $1::bigint * interval '1 microsecond'),
           settles = clock_timestamp() + $1::bigint * interval '1 microsecond'
     WHERE owner IS NOT NULL AND NOT EXISTS (SELECT FROM hikyaku.node WHERE epoch = m.owner) RETURNING id)
  SELECT count(*) FROM freed)"};

const Query kSweepBodies{"sweep_bodies", R"(
  WITH gone AS (
    DELETE FROM hikyaku.piece p
     WHERE written < clock_timestamp() - interval '1 day'
       AND NOT EXISTS (SELECT FROM hikyaku.node WHERE epoch = p.writer)
       AND NOT EXISTS (SELECT FROM hikyaku.mail WHERE id = p.mail) RETURNING mail)
  SELECT count(*) FROM gone)"};

const Query kAccept{"accept", R"(
  WITH put AS (
    INSERT INTO hikyaku.mail (id, owner, origin, size, pieces, checksum, envelope, content, progress)
    SELECT $1::bigint, epoch, name, $3::bigint, $4::bigint, $5::bigint, $6::bytea, $7::bytea, $8::bytea
      FROM hikyaku.node WHERE epoch = $2::bigint
        ON CONFLICT (id) DO NOTHING RETURNING id)
  SELECT EXISTS (SELECT FROM put) OR
         EXISTS (SELECT FROM hikyaku.mail WHERE id = $1::bigint AND owner = $2::bigint),
         EXISTS (SELECT FROM hikyaku.node WHERE epoch = $2::bigint))"};

const Query kPutPiece{"put_piece", R"(
  INSERT INTO hikyaku.piece (mail, writer, number, checksum, bytes)
  VALUES ($1::bigint, $2::bigint, $3::bigint, $4::bigint, $5::bytea) ON CONFLICT (mail, number) DO NOTHING)"};

const Query kDropPieces{"drop_pieces", R"(
  DELETE FROM hikyaku.piece p
   WHERE mail = $1::bigint AND writer = $2::bigint AND NOT EXISTS (SELECT FROM hikyaku.mail WHERE id = $1::bigint))"};

// What counts as waiting since the last record: what was planned then and an hour at most, and nothing where the clock
// went back.
#define HIKYAKU_FOUND                                                                                 \
  "m.id, m.size, m.held, "                                                                            \
  "least(greatest((extract(epoch FROM clock_timestamp() - m.recorded) * 1000000)::bigint, 0),"        \
  " m.planned + 3600000000), "                                                                        \
  "(extract(epoch FROM least(greatest(m.due - clock_timestamp(), interval '0'), interval '30 days'))" \
  " * 1000000)::bigint, "                                                                             \
  "(length(m.envelope) + coalesce(length(m.progress), 0))::bigint, "                                  \
  "m.state"

// The clock of a scan is statement_timestamp(): with one that moves while it runs, the index would be read to its end.
const Query kClaim{"claim", R"(
  WITH free AS (
    SELECT id FROM hikyaku.mail WHERE owner IS NULL AND due <= statement_timestamp()
     ORDER BY due LIMIT $2::bigint FOR UPDATE SKIP LOCKED)
  UPDATE hikyaku.mail m SET owner = $1::bigint FROM free
   WHERE m.id = free.id
     AND EXISTS (SELECT FROM hikyaku.node WHERE epoch = $1::bigint AND alive_until > clock_timestamp())
  RETURNING )" HIKYAKU_FOUND};

const Query kOwned{"owned",
                   "SELECT " HIKYAKU_FOUND " FROM hikyaku.mail m WHERE owner = $1::bigint ORDER BY id"};

const Query kTake{"take", R"(
  UPDATE hikyaku.mail m SET owner = $1::bigint
   WHERE m.id = $2::bigint AND owner IS NULL AND (settles IS NULL OR settles <= clock_timestamp())
     AND EXISTS (SELECT FROM hikyaku.node WHERE epoch = $1::bigint AND alive_until > clock_timestamp())
  RETURNING )" HIKYAKU_FOUND};

#undef HIKYAKU_FOUND

const Query kNextDue{"next_due", R"(
  SELECT (extract(epoch FROM min(due) - statement_timestamp()) * 1000000)::bigint
    FROM hikyaku.mail WHERE owner IS NULL AND due > statement_timestamp())"};

const Query kHas{"has", R"(
  SELECT EXISTS (SELECT FROM hikyaku.mail WHERE id = $1::bigint) OR
         EXISTS (SELECT FROM hikyaku.file WHERE mail = $1::bigint))"};

const Query kLoad{
    "load",
    "SELECT envelope, progress, origin FROM hikyaku.mail WHERE id = $1::bigint AND owner = $2::bigint"};

const Query kLoadContent{"load_content", R"(
  SELECT size, pieces, checksum, content FROM hikyaku.mail WHERE id = $1::bigint AND owner = $2::bigint)"};

const Query kLoadPiece{
    "load_piece",
    "SELECT checksum, bytes FROM hikyaku.piece WHERE mail = $1::bigint AND number = $2::bigint"};

const Query kRecord{"record", R"(
  UPDATE hikyaku.mail
     SET progress = $3::bytea, held = $4::bigint <> 0, recorded = clock_timestamp(), planned = $5::bigint, state = $7::bigint,
         due = clock_timestamp() + $5::bigint * interval '1 microsecond',
         owner = CASE WHEN $6::bigint <> 0 THEN NULL ELSE owner END
   WHERE id = $1::bigint AND owner = $2::bigint RETURNING id)"};

const Query kFinish{"finish", R"(
  WITH gone AS (DELETE FROM hikyaku.mail WHERE id = $1::bigint AND owner = $2::bigint RETURNING id),
  pieces AS (DELETE FROM hikyaku.piece WHERE mail IN (SELECT id FROM gone))
  SELECT id FROM gone)"};

const Query kGetAccount{"get_account", R"(
  SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, coalesce(version, 0), state
    FROM (SELECT $1::bytea AS wanted) w LEFT JOIN hikyaku.account ON name = wanted)"};

const Query kPutAccount{"put_account", R"(
  WITH changed AS (
    UPDATE hikyaku.account SET version = $3::bigint, state = $4::bytea, changed = clock_timestamp()
     WHERE name = $1::bytea AND version = $2::bigint RETURNING name),
  made AS (
    INSERT INTO hikyaku.account (name, version, state) SELECT $1::bytea, $3::bigint, $4::bytea WHERE $2::bigint = 0
        ON CONFLICT (name) DO NOTHING RETURNING name)
  SELECT EXISTS (SELECT FROM changed) OR EXISTS (SELECT FROM made) OR
         EXISTS (SELECT FROM hikyaku.account WHERE name = $1::bytea AND version = $3::bigint))"};

// ---- notices

const Query kLock{"lock", R"(
  SELECT id FROM hikyaku.mail WHERE id = $1::bigint AND owner = $2::bigint FOR UPDATE)"};

const Query kAcceptNotice{"accept_notice", R"(
  WITH put AS (
    INSERT INTO hikyaku.mail (id, owner, origin, size, pieces, checksum, envelope, content)
    SELECT $1::bigint, $2::bigint, coalesce((SELECT name FROM hikyaku.node WHERE epoch = $2::bigint), ''),
           $3::bigint, $4::bigint, $5::bigint, $6::bytea, $7::bytea
     WHERE EXISTS (SELECT FROM hikyaku.mail WHERE id = $8::bigint AND owner = $2::bigint)
        ON CONFLICT (id) DO NOTHING RETURNING id)
  SELECT EXISTS (SELECT FROM put) OR
         EXISTS (SELECT FROM hikyaku.mail WHERE id = $1::bigint AND owner = $2::bigint))"};

// ---- mail that lies in a file

const Query kNoteFile{"note_file", R"(
  INSERT INTO hikyaku.file (mail)
  SELECT id FROM hikyaku.mail WHERE id = $1::bigint AND owner = $2::bigint ON CONFLICT (mail) DO NOTHING)"};

const Query kForgetFile{"forget_file", "DELETE FROM hikyaku.file WHERE mail = $1::bigint"};

const Query kSweepFiles{"sweep_files", R"(
  WITH gone AS (
    DELETE FROM hikyaku.file WHERE noted < clock_timestamp() - interval '30 days' RETURNING mail)
  SELECT count(*) FROM gone)"};

// ---- the doorbell

const Query kListen{"listen", "LISTEN hikyaku"};

const Query kRing{"ring", "NOTIFY hikyaku"};

}  // namespace hikyaku::postgresql
