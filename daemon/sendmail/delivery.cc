// SPDX-License-Identifier: MIT
#include "daemon/sendmail/delivery.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/sendmail/process_hygiene.h"

namespace hikyaku::sendmail {
namespace {

constexpr Timeout kConnectTimeout(10);

}  // namespace

Delivery::Delivery(const DaemonInfo& info, Message message, Input& input, Dialogue::Watch watch)
    : info_(info),
      message_(std::move(message)),
      input_(input),
      watch_(std::move(watch)),
      drop_(DropDirectory::open(info.drop, info.min_free)),
      left_(message_.envelope.recipients) {}

Result<std::vector<std::string>, Failure> Delivery::run() {
  if (auto kept = keep_content(); !kept) return std::unexpected(kept.error());
  auto done = over(info_.submit_socket, connect_to(info_.submit_socket, kConnectTimeout));
  if (done && !*done) done = into_drop();
  if (done && !*done) done = over_port();
  if (!done) return std::unexpected(explain(done.error()));
  if (*done) {
    set_exit_code_of_signals(Exit::ok);
    signal_block_.reset();
    return std::move(ids_);
  }
  return std::unexpected(explain(
      {Exit::try_again,
       cat("the mail could not be handed to hikyakud: ", reasons_,
           "; nothing was stored. Check that hikyakud runs and that sendmail is set-gid hikyaku-submit")}));
}

// Content that is too long for memory goes into a draft first, so that it can be sent again if the connection
// is lost. Without a drop directory there is only one attempt.
Result<void, Failure> Delivery::keep_content() {
  if (message_.whole) {
    content_ = std::make_unique<MemoryContent>(std::move(message_.read));
    return {};
  }
  auto content = std::make_unique<LiveContent>(std::move(message_.read), input_);
  auto commands =
      cat(mail_command(message_.envelope, std::nullopt), rcpt_commands(message_.envelope, next_batch()));
  auto draft = drop_ ? Draft::begin(*drop_, commands) : std::unexpected(drop_.error());
  if (draft) {
    if (auto appended = (*draft)->append_all(*content); !appended) return appended;
    draft_ = std::move(*draft);
    content_ = std::make_unique<FileContent>(draft_->content());
  } else {
    content_ = std::move(content);
  }
  return {};
}

// True: accepted. False: try the next way. A failure: no way will accept the mail.
Result<bool, Failure> Delivery::over(const std::string& where, Result<Fd, LinkError> connected) {
  if (!connected) {
    add_reason(where, connected.error().text);
    return false;
  }
  auto submitted = submit(std::move(*connected));
  if (submitted) return true;
  if (submitted.error().is_final) return std::unexpected(submitted.error().failure);
  add_reason(where, submitted.error().failure.text);
  return false;
}

Result<void, Refusal> Delivery::submit(Fd fd) {
  auto submission = Submission::begin(std::move(fd), watch_);
  if (!submission) return std::unexpected(submission.error());
  while (!left_.empty()) {
    if (!content_->rewind())
      return std::unexpected(Refusal{
          true,
          {Exit::try_again, "the connection was lost before the mail was complete; nothing was stored"}});
    auto taken = submission->send(message_.envelope, next_batch(), *content_, signal_block_);
    if (!taken) return std::unexpected(taken.error());
    left_ = left_.subspan(taken->recipients);
    if (!taken->id.empty()) ids_.push_back(taken->id);
  }
  submission->end();
  return {};
}

Result<bool, Failure> Delivery::into_drop() {
  SignalBlock signal_block;
  if (!drop_) add_reason("drop directory", drop_.error().text);
  while (drop_ && !left_.empty()) {
    auto batch = next_batch();
    if (auto dropped = drop_some(batch); !dropped) {
      add_reason("drop directory", dropped.error().text);
      return false;
    }
    left_ = left_.subspan(batch.size());
    if (!signal_block_) signal_block_.emplace();
  }
  return left_.empty();
}

Result<void, Failure> Delivery::drop_some(std::span<const Address> recipients) {
  bool fits = draft_ && recipients.data() == message_.envelope.recipients.data();
  if (fits) return draft_->commit();
  if (!content_->rewind())
    return fail(Exit::try_again, "the connection was lost before the mail was complete");
  auto commands =
      cat(mail_command(message_.envelope, std::nullopt), rcpt_commands(message_.envelope, recipients));
  auto draft = Draft::begin(*drop_, commands);
  if (!draft) return std::unexpected(draft.error());
  if (auto appended = (*draft)->append_all(*content_); !appended) return appended;
  return (*draft)->commit();
}

Result<bool, Failure> Delivery::over_port() {
  auto endpoint = Endpoint::parse(info_.listen);
  if (!endpoint) return false;
  return over(info_.listen, connect_to(*endpoint, kConnectTimeout));
}

std::span<const Address> Delivery::next_batch() const {
  return left_.first(std::min(left_.size(), info_.max_recipients));
}

void Delivery::add_reason(std::string_view where, std::string_view why) {
  reasons_ += cat(reasons_.empty() ? "" : "; ", where, ": ", why);
}

Failure Delivery::explain(Failure failure) const {
  std::size_t all = message_.envelope.recipients.size();
  if (left_.size() < all)
    failure.text += cat("; it was accepted for the first ", std::to_string(all - left_.size()),
                        " recipients of ", std::to_string(all));
  return failure;
}

}  // namespace hikyaku::sendmail
