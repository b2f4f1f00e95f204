// SPDX-License-Identifier: MIT
#include "spool/postgresql/core.h"

#include <utility>

#include "daemon/base/text.h"
#include "spool/postgresql/statements.h"

namespace hikyaku::postgresql {
namespace {

constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15;  // spreads ids over all 64 bits

std::string words_for(const DatabaseError& error) {
  if (error.kind == DatabaseErrorKind::refused) return cat("the spool's database refuses: ", error.text);
  return cat("the spool's database cannot be reached: ", error.text);
}

// What a sweep does later, if this does not.
Task<void> run_unheard(Database& database, Statement statement) {
  (void)co_await database.run(Statements{std::move(statement)});
}

}  // namespace

Task<Result<void, DatabaseError>> IdStock::refill() {
  auto given = co_await database_.run(Statements{{&kIds, {}}});
  if (!given) co_return std::unexpected(given.error());
  following_ = given->front().number(0, 0);
  co_return {};
}

std::optional<mail::MailId> IdStock::assign() {
  if (following_ == 0 && !std::exchange(is_refilling_, true)) nursery_.spawn(refill_behind());
  if (next_ == end_) {
    if (following_ == 0) return std::nullopt;
    next_ = std::exchange(following_, 0);
    end_ = next_ + kIdBlock;
  }
  return mail::MailId{static_cast<std::uint64_t>(next_++)};
}

Task<void> IdStock::refill_behind() {
  (void)co_await refill();  // else at the next assign()
  is_refilling_ = false;
}

Task<void> IdStock::drained() { co_await nursery_.drained({}); }

Core::Core(io::Loop& its_loop, Databases its_databases, SharedOptions its_options)
    : loop(its_loop),
      databases(its_databases),
      options(std::move(its_options)),
      budget(loop, options.memory.bytes, [this] { return cache.evict_oldest(); }),
      commits(loop, databases.commits, options.patience),
      reads(loop, databases.reads, options.patience),  // whoever reads in vain waits for a minute
      lease(loop, databases.lease, options.lease, [this] { claims.note_doubt(); }),
      doorbell(loop, databases.bell),
      claims(loop, databases.reads, lease, owned, doorbell, options.lease),
      ids(loop, databases.reads),
      accounts(loop, databases.reads, lease, options.patience),
      nursery(loop) {}

std::optional<mail::SinkError> Core::reason_to_refuse() const {
  if (is_closing) return mail::SinkError{mail::SinkErrorKind::shutting_down, "the spool is being closed"};
  if (lease.trouble()) return to_sink_error(*lease.trouble());
  return std::nullopt;
}

mail::SourceError Core::unknown(mail::MailId id) const {
  return {mail::SourceErrorKind::unknown_mail, cat("mail ", to_text(id), " is not this node's")};
}

void Core::arrive(mail::MailId id, const OwnedMail& mail) {
  const bool was_found = owned.find(id) != nullptr;  // by Claims, while it was not known that it is stored
  if (!was_found && owned.add(id, mail)) on_arrival({id, mail.size, Duration{0}, false});
}

void Core::drop_pieces(mail::MailId id, std::int64_t epoch) {
  if (!is_closing) nursery.spawn(run_unheard(commits, {&kDropPieces, {id_value(id), number(epoch)}}));
}

void Core::forget_file(mail::MailId id) {
  if (!is_closing) nursery.spawn(run_unheard(commits, {&kForgetFile, {id_value(id)}}));
}

void Core::look_afresh(mail::MailId id) {
  for (const Notice& notice : notices.take(id))
    if (notice.has_pieces) drop_pieces(notice.id, notice.mail.epoch);
  forget(id);
  claims.note_doubt();
}

std::uint64_t piece_seed(std::uint64_t checksum_key, mail::MailId id, std::int64_t piece) {
  return checksum_key ^ ((id.value * kGolden) + static_cast<std::uint64_t>(piece));
}

std::optional<StoredHead> decode_head(std::string_view envelope, const Value& progress) {
  auto message = spool::decode_message_head(envelope);
  if (!message) return std::nullopt;
  const std::size_t recipients = message->envelope.recipients.size();
  auto stored = progress ? spool::decode_progress(*progress) : mail::untouched_progress(recipients);
  if (!stored || stored->recipients.size() != recipients) return std::nullopt;
  return StoredHead{std::move(*message), std::move(*stored)};
}

mail::SinkError to_sink_error(const DatabaseError& error) {
  return {mail::SinkErrorKind::write_failed, words_for(error)};
}

mail::SourceError to_source_error(mail::SourceErrorKind kind, const DatabaseError& error) {
  return {kind, words_for(error)};
}

}  // namespace hikyaku::postgresql
