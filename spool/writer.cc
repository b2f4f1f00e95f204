// SPDX-License-Identifier: MIT
#include "spool/writer.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "spool/faults.h"

namespace hikyaku::spool {

using mail::SinkError;
using mail::SinkErrorKind;

namespace {

constexpr std::size_t kCacheOverhead = 512;

// Fault::done_with_bounce: the commit goes on by itself while its caller believes that it has ended.
Task<void> store_unattended(Core& core, NewRecord record, CachedMailPtr mail) {
  auto done = co_await core.store(std::move(record), std::move(mail));
  (void)done;
}

}  // namespace

Writer::~Writer() {
  if (large_ && !keeps_file_) core_.remove_large(id_);
}

Task<Result<void, SinkError>> Writer::write(std::string_view bytes) {
  if (core_.is_closing) co_return fail(SinkErrorKind::shutting_down, "the spool is being closed");
  if (reservation_.bytes() == 0) reservation_ = co_await core_.budget.reserve(kLargePiece);
  if (!large_ && may_gather(content_.size() + bytes.size())) {
    content_ += bytes;
    co_return {};
  }
  if (!large_) large_.emplace(core_.disk, core_.workers, id_);
  auto done = co_await write_large(bytes);
  if (!done) co_return large_failed(done.error());
  co_return {};
}

std::unexpected<SinkError> Writer::large_failed(const DiskError& error) {
  core_.space.note_failure(SpaceWatch::Part::large, error);
  return std::unexpected(to_sink_error(error));
}

// Whoever holds memory never waits for more: all could wait for each other.
bool Writer::may_gather(std::size_t size) {
  if (size > content_limit(core_.options.segment_size.bytes)) return false;
  if (size <= reservation_.bytes()) return true;
  if (!reservation_.grow_to(std::bit_ceil(size))) return false;
  content_.reserve(static_cast<std::size_t>(reservation_.bytes()));
  return true;
}

Task<Result<void, DiskError>> Writer::write_large(std::string_view bytes) {
  Result<void, DiskError> done;
  if (content_.size() + bytes.size() <= kLargePiece) {
    content_ += bytes;
    co_return done;
  }
  if (!content_.empty()) done = co_await large_->write(content_);
  content_ = std::string();
  reservation_.shrink_to(kLargePiece);
  if (!done) co_return done;
  if (bytes.size() >= kLargePiece)
    done = co_await large_->write(bytes);
  else
    content_ += bytes;
  co_return done;
}

Task<Result<void, SinkError>> Writer::commit(mail::Envelope envelope) {
  MessageHead head{core_.loop.clock().wall(), std::move(envelope)};
  NewRecord record;
  record.type = RecordType::message;
  record.use = use_;
  record.id = id_;
  record.head = encode_message_head(head);
  // A copy needs room for the progress beside it.
  std::size_t room = progress_room(head.envelope.recipients.size());
  if (record.head.size() + room > head_limit(core_.options.segment_size.bytes))
    co_return fail(SinkErrorKind::write_failed, "the envelope is larger than the spool can hold");
  Result<void, SinkError> done;
  if (large_)
    done = co_await commit_large(std::move(record));
  else
    done = co_await commit_small(std::move(head), std::move(record));
  co_return done;
}

Task<Result<void, SinkError>> Writer::commit_small(MessageHead head, NewRecord record) {
  reservation_.shrink_to(content_.capacity() + kCacheOverhead);
  auto mail =
      std::make_shared<CachedMail>(CachedMail{std::move(head), std::move(content_), std::move(reservation_)});
  record.content = mail->content;
  Result<void, SinkError> done;
  if (is_injected(Fault::done_with_bounce) && mail->head.envelope.sender.empty())
    core_.nursery.spawn(store_unattended(core_, std::move(record), std::move(mail)));
  else
    done = co_await core_.store(std::move(record), std::move(mail));
  co_return done;
}

Task<Result<void, SinkError>> Writer::commit_large(NewRecord record) {
  auto finished = co_await finish_large();
  if (!finished) co_return large_failed(finished.error());
  core_.space.note_success(SpaceWatch::Part::large);
  record.large = true;
  record.content_length = large_->length();
  record.content_checksum = large_->checksum();
  reservation_ = Reservation();
  auto done = co_await core_.store(std::move(record), nullptr);
  // After a failed flush the record may stand on the disk all the same; then recovery decides about the file.
  keeps_file_ = done || done.error().kind == SinkErrorKind::write_failed;
  co_return done;
}

Task<Result<void, DiskError>> Writer::finish_large() {
  Result<void, DiskError> done;
  if (!content_.empty()) done = co_await large_->write(content_);
  content_ = std::string();
  if (done) done = co_await large_->finish();
  co_return done;
}

}  // namespace hikyaku::spool
