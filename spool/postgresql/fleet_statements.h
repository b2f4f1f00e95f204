// SPDX-License-Identifier: MIT
// The statements about mail of any node: with which the spool is looked at, free mail is taken by its id, and the owners
// of other mail are asked for something. None of the first kind changes anything or takes a lock, and each is a
// transaction of its own. Times are in microseconds from now.
#pragma once

#include "daemon/mail/fleet.h"
#include "spool/postgresql/database.h"

namespace hikyaku::postgresql {

// → id, size, held, when its state was recorded, when it is due, its owner or NULL, the owner's name and until when it is
// alive (NULL: it is no node any more), the name of the node that accepted it, envelope, progress or NULL. A head that
// is longer than kLongestInPage is NULL in a page, so that a page has a bounded size.
extern const Query kPage;     // $1 after this id, $2 at most so many; by id
extern const Query kLookAt;   // $1 id
extern const Query kContent;  // $1 id → size, pieces, checksum, content or NULL
// → mails whose content is in pieces, and how many contents in pieces have no mail (yet, or any more)
extern const Query kBodies;

// Counted up to $1 each, so that a million mails cost no more than a hundred thousand.
// → epoch, name, since when, until when it is alive, mails, of which held; by name, epoch; and without a name and an
// epoch what is nobody's
extern const Query kNodes;
// $1 as above → envelope of the mail with the smallest id, about how many mails are nobody's by the server's own account
extern const Query kQueue;

// ---- of free mail; statements.h has kTake
extern const Query kMakeDue;     // $1 id → id, if it was nobody's and not held
extern const Query kMakeAllDue;  // → how many

// ---- of others' mail: a request is a row, by number and mail, until whoever has asked takes it back
extern const Query kRequestNumber;  // → one that nobody else gets
// $1 number, $2 mail, $3 decision, $4 by whom: asks its owner
extern const Query kAsk;
// $1 number, $2 epoch of the asker, $3 decision, $4 by whom: asks every other node about all its mail; mail 0
extern const Query kAskAll;
extern const Query
    kAsked;  // $1 epoch, $2 at most → number, mail, decision, by whom, of what has no answer yet
extern const Query kAnswer;         // $1 number, $2 mail, $3 epoch, $4 result, $5 why
extern const Query kAnswers;        // $1 number → mail, result, why
extern const Query kTakeBack;       // $1 number
extern const Query kSweepRequests;  // whoever has asked more than 10 minutes ago does not wait any more

// ---- a whole queue that moves into the database; $1 the move's name
// $2 old id, $3 id, $4 node, $5 size, $6 pieces, $7 checksum, $8 envelope, $9 content or NULL, $10 progress, $11 held,
// $12 until it is due: nobody's mail from now on → the id that it has, of an earlier run if that has put it there
extern const Query kMoveIn;
extern const Query kMovedBefore;  // $2 old id → its id, whatever has become of the mail since
extern const Query kForgetMove;

inline constexpr std::size_t kLongestInPage = 16U << 10;

// The columns of kPage and kLookAt.
enum ViewColumn : std::size_t {
  kIdColumn,
  kSizeColumn,
  kHeldColumn,
  kRecordedColumn,
  kDueColumn,
  kOwnerColumn,
  kNodeColumn,
  kAliveColumn,
  kOriginColumn,
  kEnvelopeColumn,
  kProgressColumn,
};

// Whose mail the row is about; read at the time `now`.
mail::Holder holder_in(const Rows& rows, std::size_t row, WallTime now, Duration lease, Duration takeover);

}  // namespace hikyaku::postgresql
