// SPDX-License-Identifier: MIT
#include "smtpd/reception.h"

#include <utility>

#include "smtpd/replies.h"

namespace hikyaku::smtpd {
namespace {

constexpr std::size_t kKept = 4096;

}  // namespace

Reception::Reception(std::unique_ptr<mail::MailWriter> writer, std::string received,
                     mail::IntakeOptions intake, const Limits& limits)
    : writer_(std::move(writer)),
      id_(writer_->id()),
      filter_(std::move(intake)),
      limits_(limits),
      block_(std::move(received)) {}

Task<void> Reception::take(std::string_view content, const mail::ContentNotes& notes) {
  came_ += content.size();
  notes_ = notes;
  if (filter_.is_in_body() && block_.empty()) {
    judge();
    co_await store(content);  // as it came, without a copy
    co_return;
  }
  if (!refusal_) filter_.feed(content, block_);
  judge();
  co_await store_block();
}

void Reception::judge() {
  if (came_ > limits_.max_size) refuse(replies::too_big(limits_.max_size));
  if (notes_.has_nul) refuse(replies::has_nul());
  if (filter_.received_count() > limits_.max_hops) refuse(replies::too_many_hops());
}

void Reception::refuse(Reply reply) {
  if (refusal_) return;
  refusal_ = std::move(reply);
  writer_.reset();
  block_ = std::string();
}

Task<void> Reception::store_block() {
  co_await store(block_);
  block_.clear();
  if (block_.capacity() > kKept) block_.shrink_to_fit();
}

Task<void> Reception::store(std::string_view bytes) {
  if (refusal_ || bytes.empty()) co_return;
  stored_ += bytes.size();
  auto written = co_await writer_->write(bytes);
  if (!written) refuse(replies::from(written.error()));
}

Task<Reply> Reception::finish(mail::Envelope envelope) {
  if (!refusal_) filter_.finish(block_);
  judge();
  co_await store_block();
  if (refusal_) co_return *refusal_;
  envelope.traits = {.is_seven_bit = !notes_.has_8bit && !envelope.smtputf8,
                     .has_no_dot_line = !notes_.has_dot_line};
  auto committed = co_await writer_->commit(std::move(envelope));
  co_return committed ? replies::queued(id_) : replies::from(committed.error());
}

}  // namespace hikyaku::smtpd
