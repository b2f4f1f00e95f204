// SPDX-License-Identifier: MIT
// The parts of an open shared spool, wired together, and what writers, readers and the front share: how the database's
// errors become theirs, and where ids come from. The loop's thread.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "daemon/io/nursery.h"
#include "daemon/mail/mail_sink.h"
#include "spool/cache.h"
#include "spool/payload.h"
#include "spool/postgresql/accounts.h"
#include "spool/postgresql/claims.h"
#include "spool/postgresql/group_commit.h"
#include "spool/postgresql/lease.h"
#include "spool/postgresql/notices.h"

namespace hikyaku::postgresql {

// A connection each, so that neither a large body nor a claim holds up a commit or a renewal. All outlive the spool.
struct Databases {
  Database& commits;
  Database& reads;
  Database& lease;
  Bell& bell;
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
  // Free mail has become due: every node looks at once.
  void tell_of_free_mail() {
    doorbell.ring();
    claims.note_ring();
  }
  // The mail is stored, and this node's: the queue gets it.
  void arrive(mail::MailId id, const OwnedMail& mail);
  // Before it arrives: what has just been accepted is sent without a look at the database, if there is memory for it.
  void keep_in_memory(mail::MailId id, std::shared_ptr<spool::CachedMail> mail) {
    cache.put(id, std::move(mail));
    budget.reconsider();
  }
  // The mail is not this node's any more, and there is room for another.
  void forget(mail::MailId id) {
    owned.forget(id);
    cache.drop(id);
    claims.note_room();
  }
  // The same, because the database had no such mail of ours: said after OwnedMail::found was this. If the mail was found
  // once more meanwhile, that is newer, and it stays.
  void forget_unless_found(mail::MailId id, std::uint64_t found) {
    const OwnedMail* mail = owned.find(id);
    if (mail != nullptr && mail->found == found) forget(id);
  }
  // Of a mail that is not stored, and will not be. Does not suspend.
  void drop_pieces(mail::MailId id, std::int64_t epoch);
  // The notices about this mail were written under an epoch that is over. Whether an earlier try has stored them, and with
  // them what became of the mail, is known by the database alone: if the mail is this node's again, it comes as it
  // stands there.
  void look_afresh(mail::MailId id);
  // The file that the mail came from is gone. Does not suspend.
  void forget_file(mail::MailId id);
  // What the checksum of such a piece of such a mail is seeded with; 0 is the content in the mail's own row.
  std::uint64_t seed(mail::MailId id, std::int64_t piece) const {
    return piece_seed(checksum_key, id, piece);
  }

  io::Loop& loop;
  Databases databases;
  SharedOptions options;
  std::uint64_t checksum_key = 0;
  spool::MemoryBudget budget;
  spool::Cache cache;  // its destructor gives memory back to the budget
  OwnedMails owned;
  Notices notices;
  GroupCommit commits;
  GroupCommit reads;
  Lease lease;
  Doorbell doorbell;
  Claims claims;
  IdStock ids;
  Accounts accounts;
  io::Nursery nursery;
  std::function<void(mail::QueueEntry)> on_arrival = [](const auto&) {};
  bool is_closing = false;
};

inline constexpr std::uint64_t kPiece = 256U << 10;  // of a body: the most that one row holds
inline constexpr std::size_t kMostProgress = 16U << 20;

// Envelope and progress as the rows have them; without progress, nothing has become of the mail yet. nullopt: damaged.
struct StoredHead {
  spool::MessageHead message;
  mail::Progress progress;
};
std::optional<StoredHead> decode_head(std::string_view envelope, const Value& progress);

mail::SinkError to_sink_error(const DatabaseError& error);
mail::SourceError to_source_error(mail::SourceErrorKind kind, const DatabaseError& error);

}  // namespace hikyaku::postgresql
