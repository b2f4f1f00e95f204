// SPDX-License-Identifier: MIT
// One message on its way from the client into the spool: canonical content in, repaired header and our
// Received field on top, a verdict at the end. A refused message is dropped at once, but read to its end,
// since only there the next command begins. Between two pieces only an unfinished header field is kept.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daemon/base/task.h"
#include "daemon/mail/dot_stuffing.h"
#include "daemon/mail/intake.h"
#include "daemon/mail/mail_sink.h"
#include "smtpd/options.h"
#include "smtpd/replies.h"

namespace hikyaku::smtpd {

class Reception {
 public:
  // `received` is our Received field, complete. `limits` outlives this.
  Reception(std::unique_ptr<mail::MailWriter> writer, std::string received, mail::IntakeOptions intake,
            const Limits& limits);

  // The next piece, in canonical form, and what was noticed about all so far. Suspends while the spool is
  // busy.
  Task<void> take(std::string_view content, const mail::ContentNotes& notes);
  // Stops storing; the first reason counts.
  void refuse(Reply reply);
  const std::optional<Reply>& refusal() const { return refusal_; }
  // After the last piece: suspends until the message is on stable storage, then says 250; or why not. Once.
  Task<Reply> finish(mail::Envelope envelope);

  mail::MailId id() const { return id_; }
  std::uint64_t size() const { return came_; }  // of the content that has come
  std::uint64_t stored_size() const { return stored_; }
  std::string fixed() const { return filter_.fixed(); }
  const mail::ContentNotes& notes() const { return notes_; }

 private:
  void judge();
  Task<void> store_block();
  Task<void> store(std::string_view bytes);

  std::unique_ptr<mail::MailWriter> writer_;
  mail::MailId id_;
  mail::IntakeFilter filter_;
  const Limits& limits_;
  mail::ContentNotes notes_;
  std::string block_;         // for the writer
  std::uint64_t came_ = 0;    // content bytes from the client
  std::uint64_t stored_ = 0;  // content bytes to the writer
  std::optional<Reply> refusal_;
};

}  // namespace hikyaku::smtpd
