// SPDX-License-Identifier: MIT
#include "spool/writer.h"

#include <algorithm>
#include <utility>

#include "spool/faults.h"

namespace hikyaku::spool {

using mail::SinkError;
using mail::SinkErrorKind;

namespace {

constexpr std::uint64_t kSmallEnvelope = 2048;  // holds one recipient at least, whatever its parameters
constexpr std::size_t kPromisedRecipients = 100;

// Fault::done_with_bounce: the commit goes on by itself while its caller believes that it has ended.
Task<void> store_unattended(Core& core, NewRecord record, std::shared_ptr<CachedMail> mail) {
  auto done = co_await core.store(std::move(record), std::move(mail));
  (void)done;
}

}  // namespace

Task<Result<void, SinkError>> Writer::write(std::string_view bytes) {
  if (core_.is_closing) co_return fail(SinkErrorKind::shutting_down, "the spool is being closed");
  auto done = co_await body_->write(bytes);
  co_return done;
}

Task<Result<void, SinkError>> Writer::commit(mail::Envelope envelope) {
  auto ended = co_await body_->end();
  if (!ended) co_return ended;
  MessageHead head{arrival(), std::move(envelope)};
  // In memory, as a record's head, and that once more beside its header.
  auto memory =
      co_await core_.budget.reserve(Share::commits, 3 * mail::memory_of(head.envelope), kMemoryTimeout);
  if (!memory)
    co_return fail(SinkErrorKind::no_memory, "memory for mail in transit is used up (see `memory`)");
  NewRecord record;
  record.type = RecordType::message;
  record.use = use_;
  record.id = id_;
  record.head = encode_message_head(head);
  // A copy needs room for the progress beside it.
  const std::size_t recipients = head.envelope.recipients.size();
  const std::size_t limit = head_limit(core_.options.segment_size.bytes);
  if (record.head.size() + progress_room(recipients) > limit)
    co_return fail(SinkErrorKind::write_failed, "the envelope is larger than the spool can hold");
  if (handover_) {
    record.folded = true;
    record.head += encode_progress(progress_of(*handover_, recipients), limit - record.head.size());
  }
  Result<void, SinkError> done;
  if (body_->has_file())
    done = co_await commit_large(std::move(record));
  else
    done = co_await commit_small(std::move(head), std::move(record));
  co_return done;
}

// Two machines' clocks may differ; nothing arrives later than now.
WallTime Writer::arrival() const {
  const WallTime now = core_.loop.clock().wall();
  return handover_ ? std::min(handover_->arrival, now) : now;
}

Task<Result<void, SinkError>> Writer::commit_small(MessageHead head, NewRecord record) {
  auto mail =
      std::make_shared<CachedMail>(CachedMail{std::move(head), body_->take_content(), body_->take_memory()});
  record.content = mail->content;
  Result<void, SinkError> done;
  if (is_injected(Fault::done_with_bounce) && mail->head.envelope.sender.empty())
    core_.nursery.spawn(store_unattended(core_, std::move(record), std::move(mail)));
  else
    done = co_await core_.store(std::move(record), std::move(mail));
  co_return done;
}

Task<Result<void, SinkError>> Writer::commit_large(NewRecord record) {
  auto finished = co_await body_->finish_file();
  if (!finished) {
    core_.space.note_failure(SpaceWatch::Part::large, finished.error());
    co_return std::unexpected(to_sink_error(finished.error()));
  }
  core_.space.note_success(SpaceWatch::Part::large);
  record.large = true;
  record.content_length = body_->file().length();
  record.content_checksum = body_->file().checksum();
  auto done = co_await core_.store(std::move(record), nullptr);
  // After a failed flush the record may stand on the disk all the same; then recovery decides about the file.
  if (done || done.error().kind == SinkErrorKind::write_failed) body_->keep_file();
  co_return done;
}

bool SharedEnvelopeRoom::grow_to(std::uint64_t bytes, std::size_t recipients) {
  if (!first_.grow_to(std::min(bytes, kSmallEnvelope))) return false;
  if (recipients <= kPromisedRecipients) return list_.grow_to(bytes - first_.bytes());
  std::uint64_t before = first_.bytes() + list_.bytes();
  return bytes <= before || long_list_.grow_to(bytes - before);
}

}  // namespace hikyaku::spool
