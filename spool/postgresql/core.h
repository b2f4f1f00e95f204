// SPDX-License-Identifier: MIT
// The parts of an open shared spool, wired together, and what writers, readers and the front share: how the database's
// errors become theirs, and where ids come from. The loop's thread.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "daemon/io/nursery.h"
#include "daemon/mail/mail_sink.h"
#include "spool/budget.h"
#include "spool/payload.h"
#include "spool/postgresql/accounts.h"
#include "spool/postgresql/claims.h"
#include "spool/postgresql/group_commit.h"
#include "spool/postgresql/lease.h"

namespace hikyaku::postgresql {

// Three connections, so that neither a large body nor a claim holds up a commit or a renewal. All outlive the spool.
struct Databases {
  Database& commits;
  Database& reads;
  Database& lease;
};

struct SharedOptions {
  LeaseOptions lease;
  ByteSize memory = defaults::kMemory;
  Duration patience = 10s;  // for how long a client waits for a database that is away
};

// Ids that nobody else gets, in blocks, the next one asked for ahead of need.
class IdStock {
 public:
  IdStock(io::Loop& loop, Database& database) : database_(database), nursery_(loop) {}
  Task<Result<void, DatabaseError>> refill();
  // nullopt: none is left, and the database does not answer.
  std::optional<mail::MailId> assign();
  Task<void> drained();

 private:
  Task<void> refill_behind();

  Database& database_;
  std::int64_t next_ = 0, end_ = 0;
  std::int64_t following_ = 0;  // the block after this; 0: none
  bool is_refilling_ = false;
  io::Nursery nursery_;
};

// What the checksum of such a piece of such a mail is seeded with; 0 is the content in the mail's own row.
std::uint64_t piece_seed(std::uint64_t checksum_key, mail::MailId id, std::int64_t piece);

struct Core {
  Core(io::Loop& its_loop, Databases its_databases, SharedOptions its_options);

  std::optional<mail::SinkError> reason_to_refuse() const;
  mail::SourceError unknown(mail::MailId id) const;
  std::uint64_t seed(mail::MailId id, std::int64_t piece) const {
    return piece_seed(checksum_key, id, piece);
  }

  io::Loop& loop;
  Databases databases;
  SharedOptions options;
  std::uint64_t checksum_key = 0;
  spool::MemoryBudget budget;
  OwnedMails owned;
  GroupCommit commits;
  GroupCommit reads;
  Lease lease;
  Claims claims;
  IdStock ids;
  Accounts accounts;
  io::Nursery nursery;
  std::function<void(mail::QueueEntry)> on_arrival = [](const auto&) {};
  bool is_closing = false;
};

inline constexpr std::uint64_t kPiece = 256U << 10;  // of a body: the most that one row holds

// Envelope and progress as the rows have them; without progress, nothing has become of the mail yet. nullopt: damaged.
struct StoredHead {
  spool::MessageHead message;
  mail::Progress progress;
};
std::optional<StoredHead> decode_head(std::string_view envelope, const Value& progress);

mail::SinkError to_sink_error(const DatabaseError& error);
mail::SourceError to_source_error(mail::SourceErrorKind kind, const DatabaseError& error);

}  // namespace hikyaku::postgresql
