// SPDX-License-Identifier: MIT
// Where accepted mail goes. smtpd knows the spool only as this. A mail is there for good when commit() has
// returned its value, and not a moment before; a writer that is destroyed without it leaves nothing behind.
#pragma once

#include <memory>
#include <string_view>

#include "daemon/base/error.h"
#include "daemon/base/task.h"
#include "daemon/mail/envelope.h"
#include "daemon/mail/mail_id.h"

namespace hikyaku::mail {

enum class SinkErrorKind {
  no_space,       // 452 4.3.1: below min_free, or the disk is full
  write_failed,   // 451 4.3.0: writing or flushing failed
  no_memory,      // 451 4.3.2: the memory budget is used up, and waiting did not help
  shutting_down,  // 421 4.3.2
};
using SinkError = Error<SinkErrorKind>;

class MailWriter {
 public:
  virtual ~MailWriter() = default;
  virtual MailId id() const = 0;  // known from the start: the Received line names it
  // The next bytes of the content, in canonical form (CRLF, no dot-stuffing, header first). Suspends while
  // the memory budget is used up (then `no_memory`) or the disk is slow. `bytes` lives until then.
  virtual Task<Result<void, SinkError>> write(std::string_view bytes) = 0;
  // Suspends until envelope and content are on stable storage. At most once, and nothing after it.
  virtual Task<Result<void, SinkError>> commit(Envelope envelope) = 0;
};

// Memory for an envelope while it is put together, counted until it goes. This one has no bounds.
class EnvelopeRoom {
 public:
  virtual ~EnvelopeRoom() = default;
  // `bytes` in all, for `recipients` so far. Does not suspend; false: there is no room for so much, and it
  // stays as it was.
  virtual bool grow_to(std::uint64_t /*bytes*/, std::size_t /*recipients*/) { return true; }
};

class MailSink {
 public:
  virtual ~MailSink() = default;
  // Whether a message of `expected_size` bytes (0: unknown) would be taken now; for MAIL, so that a client
  // learns early. Does not suspend, reserves nothing.
  virtual Result<void, SinkError> may_accept(std::uint64_t expected_size) = 0;
  // For one transaction, from MAIL to the end of the commit. Must not outlive the sink.
  virtual std::unique_ptr<EnvelopeRoom> envelope_room() { return std::make_unique<EnvelopeRoom>(); }
  // Does not suspend. The writer must not outlive the sink.
  virtual Result<std::unique_ptr<MailWriter>, SinkError> begin() = 0;
  // The same for a notice about a queued mail, which ends with it: it may use the room that is kept from new
  // mail, so that a full disk empties.
  virtual Result<std::unique_ptr<MailWriter>, SinkError> begin_notice() { return begin(); }
};

}  // namespace hikyaku::mail
