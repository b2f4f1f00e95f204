// SPDX-License-Identifier: MIT
// Every statement that a shared spool uses, by what it does; the tables are schema.h's. Each that changes mail says whose
// it must be ($2, the epoch of the node): what another node has taken over is never touched. All of them may be run a
// second time where the fate of the first is not known. Durations are in microseconds; the clock is the database's.
// DESIGN.md says why they are as they are.
#pragma once

#include "daemon/mail/mail_id.h"
#include "spool/postgresql/database.h"

namespace hikyaku::postgresql {

// $1 the statement time-out. Sets what a session must have, and nothing weaker than it has.
extern const Query kSession;

// Changes nothing, but makes a transaction one that writes: its commit waits until all before it is as safe as
// the server has promised.
extern const Query kMark;

// ---- at start
extern const Query kFormat;  // → format, checksum key; fails where there is no schema
extern const Query
    kSettings;  // → fsync, full_page_writes (text), asynchronous standbys, age of the oldest transaction
extern const Query kIds;  // → the first of kIdBlock ids that nobody else gets

// ---- the node; $1 its epoch, but for kEnter
extern const Query kEnter;     // $1 name, $2 lease → epoch, live nodes
extern const Query kRenew;     // $2 lease → epoch, live nodes; no row: the node was declared dead
extern const Query kLeave;     // the node's row goes
extern const Query kHandBack;  // its mail is free
// $1 grace, $2 takeover: nodes that have been dead for longer go, and their mail is free after `takeover`
extern const Query kTakeOver;     // → dead nodes, freed mails
extern const Query kSweep;        // $1 takeover: mail of owners that are no nodes any more → freed mails
extern const Query kSweepBodies;  // pieces of a day ago without a mail and without a writer → how many

// ---- mail
// $1 id, $2 epoch, $3 size, $4 pieces, $5 checksum, $6 envelope, $7 content (NULL: in pieces), $8 progress or NULL → is it
// stored, and mine; is the node alive
extern const Query kAccept;
extern const Query kPutPiece;    // $1 id, $2 epoch, $3 number, $4 checksum, $5 bytes
extern const Query kDropPieces;  // $1 id, $2 epoch: of a mail that was not accepted
// $1 epoch, $2 at most → id, size, held, how much of the time since its last record counts, time until it is due,
// length of the head, state
extern const Query kClaim;
// $1 epoch, $2 id → the same of a mail that was nobody's, due or not, unless it was a dead node's a moment ago
extern const Query kTake;
extern const Query kOwned;    // $1 epoch → the same of all that is owned
extern const Query kNextDue;  // → time until the next free mail is due that is not due yet, or NULL
extern const Query kHas;      // $1 id → is there such a mail, whoever owns it, or was there since kNoteFile
extern const Query kLoad;  // $1 id, $2 epoch → envelope, progress or NULL, name of the node that accepted it
extern const Query kLoadContent;  // $1 id, $2 epoch → size, pieces, checksum, content or NULL
extern const Query kLoadPiece;    // $1 id, $2 number → checksum, bytes
// $1 id, $2 epoch, $3 progress, $4 held, $5 next wait, $6 is it given back, $7 state: a number that no other record
// has → id, if it was ours
extern const Query kRecord;
extern const Query kFinish;  // $1 id, $2 epoch → id, if it was ours

// ---- notices: in one transaction the lock, the notices, and kRecord or kFinish of the mail that they are about
extern const Query
    kLock;  // $1 id, $2 epoch: nobody else takes it before the transaction has ended → id, if it is ours
// $1 to $7 as of kAccept, $8 the mail that it is about → is it stored, and mine
extern const Query kAcceptNotice;

// ---- mail that lies in a file until it is accepted
extern const Query kNoteFile;    // $1 id, $2 epoch: it is known from now on, whatever becomes of it
extern const Query kForgetFile;  // $1 id: the file is gone
extern const Query kSweepFiles;  // those of a month ago → how many

// ---- the doorbell
extern const Query kListen;
extern const Query kRing;  // in a transaction of its own

// ---- what the nodes share beyond mail; $1 the name
extern const Query kGetAccount;  // → now (microseconds since 1970), version (0: there is none), state
// $2 the version that was read, $3 a new one, $4 state → is that the version now; may be run again
extern const Query kPutAccount;

inline constexpr std::int64_t kIdBlock = 1024;

// As it stands in the tables.
inline Value id_value(mail::MailId id) { return number(static_cast<std::int64_t>(id.value)); }

}  // namespace hikyaku::postgresql
