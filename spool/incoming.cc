// SPDX-License-Identifier: MIT
#include "spool/incoming.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace hikyaku::spool {

using mail::SinkError;
using mail::SinkErrorKind;

namespace {

constexpr std::size_t kFirst = 4096;
constexpr std::size_t kPartOfAll = 4;  // no body holds more than a quarter of what all large ones can have

}  // namespace

IncomingBody::IncomingBody(Core& core, mail::MailId id)
    : Lender(core.budget, Share::small), core_(core), id_(id), written_(core.loop) {}

IncomingBody::~IncomingBody() {
  if (large_ && !keeps_file_) core_.remove_large(id_);
}

Task<Result<void, SinkError>> IncomingBody::write(std::string_view bytes) {
  co_await undisturbed();
  if (failed_) co_return std::unexpected(to_sink_error(*failed_));
  if (!large_ && memory_.bytes() == 0) {
    auto begun = co_await begin();
    if (!begun) co_return begun;
  }
  Result<void, DiskError> done;
  if (!gather(bytes)) done = co_await write_out(bytes);
  if (!done) co_return std::unexpected(to_sink_error(done.error()));
  co_return {};
}

// The only wait for memory: a holder that gets no more writes its content to the file.
Task<Result<void, SinkError>> IncomingBody::begin() {
  auto memory = co_await core_.budget.reserve(Share::small, kFirst, kMemoryTimeout);
  if (!memory)
    co_return fail(SinkErrorKind::no_memory, "memory for mail in transit is used up (see `memory`)");
  borrow(std::move(*memory));
  co_return {};
}

bool IncomingBody::gather(std::string_view bytes) {
  if (!may_gather(content_.size() + bytes.size())) return false;
  content_ += bytes;
  return true;
}

bool IncomingBody::may_gather(std::size_t size) {
  std::uint64_t most = large_ ? kLongPiece : content_limit(core_.options.segment_size.bytes);
  if (size > std::min(most, core_.budget.most(Share::large) / kPartOfAll)) return false;
  if (size <= memory_.bytes()) return true;
  std::size_t wanted = large_ ? kLongPiece : std::bit_ceil(size);
  bool may = borrow(large_ || wanted > kLargePiece ? Share::large : Share::small, wanted);
  if (!may && large_ && size <= kLargePiece) {
    wanted = kLargePiece;
    may = borrow(Share::large, wanted);
  }
  if (!may) return false;
  if (content_.capacity() > wanted && content_.empty()) content_ = std::string();
  if (wanted > kFirst) content_.reserve(wanted);
  return true;
}

// Writes what was gathered, and gathers `bytes` instead: into the same memory, unless others wait for it.
Task<Result<void, DiskError>> IncomingBody::write_out(std::string_view bytes) {
  if (!large_) large_.emplace(core_.disk, core_.workers, id_);
  is_writing_ = true;
  Result<void, DiskError> done;
  if (!content_.empty()) done = co_await large_->write(content_);
  content_.clear();
  memory_.shrink_to(0);
  const bool is_gathered = done && !bytes.empty() && gather(bytes);
  if (!is_gathered) content_ = std::string();
  if (done && !is_gathered && !bytes.empty()) done = co_await large_->write(bytes);
  if (!done) core_.space.note_failure(SpaceWatch::Part::large, done.error());
  is_writing_ = false;
  written_.notify();
  co_return done;
}

void IncomingBody::give_back() {
  if (is_writing_ || has_ended_ || content_.empty()) return;
  is_writing_ = true;
  core_.nursery.spawn(spill(shared_from_this()));
}

Task<void> IncomingBody::spill(std::shared_ptr<IncomingBody> self) {
  auto done = co_await self->write_out({});
  if (!done) self->failed_ = std::move(done.error());
}

Task<void> IncomingBody::undisturbed() {
  while (is_writing_) {
    io::Woken woken = co_await written_.wait({});
    check(woken == io::Woken::ready, "writing ends by itself");
  }
}

Task<Result<void, SinkError>> IncomingBody::end() {
  co_await undisturbed();
  has_ended_ = true;
  if (failed_) co_return std::unexpected(to_sink_error(*failed_));
  co_return {};
}

Task<Result<void, DiskError>> IncomingBody::finish_file() {
  Result<void, DiskError> done;
  if (!content_.empty()) done = co_await write_out({});
  if (done) done = co_await large_->finish();
  co_return done;
}

}  // namespace hikyaku::spool
