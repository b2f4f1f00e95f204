// SPDX-License-Identifier: MIT
#include "spool/postgresql/shared_spool.h"

#include <utility>

#include "daemon/base/random.h"
#include "daemon/base/text.h"
#include "spool/payload.h"
#include "spool/postgresql/statements.h"
#include "spool/writer.h"

namespace hikyaku::postgresql {

using mail::MailId;
using mail::SourceError;
using mail::SourceErrorKind;

namespace {

// As the local spool counts a loaded mail.
constexpr std::uint64_t kHeadTimes = 5;
constexpr std::uint64_t kHeadFixed = 2048;
constexpr std::uint64_t kMostHead = 16U << 10;  // of Share::loaded
// A mail that is due again sooner stays: to give it back and claim it costs two writes and up to a round's pause.
constexpr Duration kWorthGiving = 10s;

class HeldRoom final : public mail::MailRoom {
 public:
  explicit HeldRoom(spool::Reservation memory) : memory_(std::move(memory)) {}

 private:
  spool::Reservation memory_;
};

SchemaError cannot_enter(const DatabaseError& error) {
  const bool is_refused = error.kind == DatabaseErrorKind::refused;
  return {is_refused ? SchemaErrorKind::refused : SchemaErrorKind::unreachable, error.text};
}

// `rows`: of kLoad. A user of another machine than `node` is nobody here, whoever has the same number.
Result<mail::QueuedMail, SourceError> decode(MailId id, const OwnedMail& mail, const Rows& rows,
                                             const std::string& node) {
  auto head = decode_head(rows.bytes(0, 0), rows.value(0, 1));
  if (!head) return fail(SourceErrorKind::damaged, cat("the envelope of mail ", to_text(id), " is damaged"));
  if (rows.bytes(0, 2) != node) head->message.envelope.uid.reset();
  head->progress.waited += mail.waited;
  return mail::QueuedMail{
      id,     std::move(head->message.envelope), std::move(head->progress), head->message.arrival, mail.size,
      nullptr};
}

// A mail that is in memory since it was accepted, and was not tried since. While the lease is sure nobody else can have it.
std::optional<mail::QueuedMail> untried(const Core& core, MailId id, const OwnedMail& mail) {
  const spool::CachedMailPtr cached = core.cache.find(id);
  if (cached == nullptr || mail.state != 0 || !core.lease.may_send(mail.epoch)) return std::nullopt;
  mail::Progress progress = mail::untouched_progress(cached->head.envelope.recipients.size());
  progress.waited = mail.waited;
  return mail::QueuedMail{id,     cached->head.envelope, std::move(progress), cached->head.arrival, mail.size,
                          nullptr};
}

}  // namespace

SharedSpool::~SharedSpool() = default;

Task<Result<std::unique_ptr<SharedSpool>, SchemaError>> SharedSpool::open(io::Loop& loop, Databases databases,
                                                                          SharedOptions options) {
  auto checked = co_await check_schema(databases.lease);
  if (!checked) co_return std::unexpected(checked.error());
  auto core = std::make_unique<Core>(loop, databases, std::move(options));
  core->checksum_key = checked->checksum_key;
  auto has_ids = co_await core->ids.refill();
  if (!has_ids) co_return std::unexpected(cannot_enter(has_ids.error()));
  auto entered = co_await core->lease.begin();
  if (!entered) co_return std::unexpected(cannot_enter(entered.error()));
  std::unique_ptr<SharedSpool> spool(new SharedSpool(std::move(core)));
  spool->notes_ = std::move(checked->notes);
  co_return spool;
}

// If the database is away, the others take the mail over when the lease has run out.
Task<void> SharedSpool::close() {
  core_->is_closing = true;
  co_await neighbours_.end();
  co_await core_->claims.end();
  co_await core_->nursery.drained({});
  co_await core_->commits.drained();
  co_await core_->reads.drained();
  co_await core_->ids.drained();
  (void)co_await core_->lease.end();
  core_->doorbell.ring();
  co_await core_->doorbell.end();
}

std::optional<std::string> SharedSpool::trouble() const {
  if (!core_->lease.trouble()) return std::nullopt;
  return cat(to_sink_error(*core_->lease.trouble()).text, "; until it answers, new mail is refused with 451");
}

void SharedSpool::set_on_trouble(OnTrouble on_trouble) {
  core_->lease.set_on_trouble([this, tell = std::move(on_trouble)] { tell(trouble()); });
}

void SharedSpool::set_on_arrival(OnArrival on_arrival) { core_->on_arrival = std::move(on_arrival); }

void SharedSpool::set_claimant(spool::Claimant claimant) {
  core_->claims.begin(std::move(claimant));
  core_->doorbell.begin([this] { core_->claims.note_ring(); });
}

spool::SpoolCounters SharedSpool::counters() const { return core_->commits.counters(); }

spool::SpoolUse SharedSpool::use() const {
  spool::SpoolUse use;
  use.memory = core_->budget.used();
  use.memory_limit = core_->options.memory.bytes;
  use.oldest = core_->owned.oldest(core_->lease.epoch());
  return use;
}

// ---- mail::MailSink

Result<void, mail::SinkError> SharedSpool::may_accept(std::uint64_t) {
  auto refusal = core_->reason_to_refuse();
  if (refusal) return std::unexpected(std::move(*refusal));
  return {};
}

std::unique_ptr<mail::EnvelopeRoom> SharedSpool::envelope_room() {
  return std::make_unique<spool::SharedEnvelopeRoom>(core_->budget);
}

Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> SharedSpool::begin_as(Origin origin) {
  auto refusal = core_->reason_to_refuse();
  if (refusal) return std::unexpected(std::move(*refusal));
  const OwnedMail* about = origin.about ? core_->owned.find(*origin.about) : nullptr;
  const std::int64_t epoch = about != nullptr ? about->epoch : core_->lease.epoch();
  auto id = core_->ids.assign();
  if (!id) return fail(mail::SinkErrorKind::write_failed, "the spool's database gives no ids at the moment");
  return std::make_unique<BodyWriter>(*core_, *id, epoch, std::move(origin));
}

Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> SharedSpool::begin() { return begin_as({}); }

Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> SharedSpool::begin_notice(MailId about) {
  return begin_as({.about = about});
}

void SharedSpool::withdraw_notice(MailId notice) {
  auto withdrawn = core_->notices.take_one(notice);
  if (withdrawn && withdrawn->has_pieces) core_->drop_pieces(notice, withdrawn->mail.epoch);
}

Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> SharedSpool::begin_handed_over(
    const mail::Handover& handover) {
  return begin_as({.handover = handover});
}

Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> SharedSpool::begin_from_file() {
  return begin_as({.is_in_file = true});
}

void SharedSpool::forget_file(MailId id) { core_->forget_file(id); }

// ---- mail::MailSource

std::vector<mail::QueueEntry> SharedSpool::entries() const {
  return core_->owned.entries(core_->lease.epoch());
}

Task<Result<bool, SourceError>> SharedSpool::has(MailId id) {
  auto found = co_await core_->reads.run(Statements{{&kHas, {id_value(id)}}});
  if (!found) co_return std::unexpected(to_source_error(SourceErrorKind::read_failed, found.error()));
  co_return found->front().flag(0, 0);
}

OwnedMail* SharedSpool::find_own(MailId id) const {
  OwnedMail* mail = core_->owned.find(id);
  if (mail == nullptr || mail->epoch == core_->lease.epoch()) return mail;
  core_->forget(id);
  return nullptr;
}

Task<Result<std::shared_ptr<mail::MailRoom>, SourceError>> SharedSpool::make_room(MailId id,
                                                                                  mail::Patience patience) {
  const OwnedMail* mail = find_own(id);
  if (mail == nullptr) co_return std::unexpected(core_->unknown(id));
  const Duration most = patience == mail::Patience::none ? Duration{0} : spool::kMemoryTimeout;
  const std::uint64_t bytes = kHeadFixed + kHeadTimes * mail->head;
  const spool::Share share = bytes <= kMostHead ? spool::Share::loaded : spool::Share::loaded_lists;
  auto memory = co_await core_->budget.reserve(share, bytes, most);
  if (!memory)
    co_return fail(SourceErrorKind::no_memory, "memory for mail in transit is used up (see `memory`)");
  co_return std::make_shared<HeldRoom>(std::move(*memory));
}

Task<Result<mail::QueuedMail, SourceError>> SharedSpool::load(MailId id) {
  while (OwnedMail* own = find_own(id)) {
    own->is_outdated = false;
    const OwnedMail mail = *own;
    if (auto fresh = untried(*core_, id, mail)) co_return std::move(*fresh);
    auto found = co_await core_->reads.run(Statements{{&kLoad, {id_value(id), number(mail.epoch)}}});
    if (!found) co_return std::unexpected(to_source_error(SourceErrorKind::read_failed, found.error()));
    if (!found->front().empty()) co_return decode(id, mail, found->front(), core_->options.lease.node);
    core_->forget_unless_found(id, mail.found);
  }
  co_return std::unexpected(core_->unknown(id));
}

Result<std::unique_ptr<mail::ContentReader>, SourceError> SharedSpool::open(MailId id) {
  const OwnedMail* mail = find_own(id);
  if (mail == nullptr) return std::unexpected(core_->unknown(id));
  return std::make_unique<BodyReader>(*core_, id, *mail);
}

// What was sent before this node was declared dead is recorded all the same, if nobody else has the mail yet: so these
// two ask for it under the epoch that it was owned under. Mail that this node itself has claimed again meanwhile is
// asked for once more; but what another node has recorded in between is not replaced: the mail is looked up afresh.
Task<Result<mail::Recorded, SourceError>> SharedSpool::record(MailId id, mail::Progress progress,
                                                              mail::MayGo may_go) {
  const std::string bytes = spool::encode_progress(progress, kMostProgress);
  const bool goes = may_go == mail::MayGo::yes && !progress.held && progress.next_wait >= kWorthGiving;
  const auto state = static_cast<std::int64_t>(random_number());
  auto done = co_await change(id, true, [&](std::int64_t epoch) {
    return Statement{&kRecord,
                     {id_value(id), number(epoch), bytes, number(progress.held ? 1 : 0),
                      number(progress.next_wait.count()), number(goes ? 1 : 0), number(state)}};
  });
  if (!done) co_return std::unexpected(std::move(done.error()));
  OwnedMail* mail = core_->owned.find(id);
  const bool is_ours = mail != nullptr && (!goes || mail->found != *done);
  if (!is_ours) {
    core_->forget(id);
    co_return goes ? mail::Recorded::given_back : mail::Recorded::kept;
  }
  mail->state = state;
  mail->is_outdated = false;
  mail->waited = Duration{0};
  mail->next_wait = progress.next_wait;
  mail->held = progress.held;
  co_return mail::Recorded::kept;
}

Task<Result<void, SourceError>> SharedSpool::finish(MailId id) {
  auto done = co_await change(
      id, false, [id](std::int64_t epoch) { return Statement{&kFinish, {id_value(id), number(epoch)}}; });
  if (!done) co_return std::unexpected(std::move(done.error()));
  core_->forget(id);
  co_return {};
}

Task<Result<std::uint64_t, SourceError>> SharedSpool::change(
    MailId id, bool replaces, std::function<Statement(std::int64_t)> statement) {
  while (const OwnedMail* own = core_->owned.find(id)) {
    if (replaces && own->is_outdated) {
      core_->look_afresh(id);
      break;
    }
    const std::int64_t epoch = own->epoch;
    const std::uint64_t found = own->found;
    if (core_->notices.has(id) && core_->notices.epoch(id) != epoch) break;
    Statements statements = core_->notices.statements(id);
    statements.push_back(statement(epoch));
    auto done = co_await core_->commits.run(std::move(statements));
    if (!done) co_return std::unexpected(to_source_error(SourceErrorKind::write_failed, done.error()));
    if (core_->notices.are_stored(id, *done)) {
      for (const Notice& notice : core_->notices.take(id)) core_->arrive(notice.id, notice.mail);
      co_return found;
    }
    if (!done->back().empty()) co_return found;
    core_->forget_unless_found(id, found);
  }
  if (core_->notices.has(id)) core_->look_afresh(id);
  co_return std::unexpected(core_->unknown(id));
}

}  // namespace hikyaku::postgresql
