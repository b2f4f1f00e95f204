// SPDX-License-Identifier: MIT
// Where accepted mail goes: smtpd's interface to the spool. A mail is stored once commit() has succeeded, and
// not before; a writer that is destroyed without a commit leaves nothing behind.
#pragma once

#include <memory>
#include <string_view>

#include "daemon/base/error.h"
#include "daemon/base/task.h"
#include "daemon/mail/envelope.h"
#include "daemon/mail/handover.h"
#include "daemon/mail/mail_id.h"

namespace hikyaku::mail {

enum class SinkErrorKind {
  no_space,       // 452 4.3.1: below min_free, or the disk is full
  write_failed,   // 451 4.3.0: writing or flushing failed
  no_memory,      // 451 4.3.2: the memory budget is used up, and waiting did not help
  no_answer,      // 451 4.3.0: it is not known whether a recipient is a user of this machine
  shutting_down,  // 421 4.3.2
};
using SinkError = Error<SinkErrorKind>;

class MailWriter {
 public:
  virtual ~MailWriter() = default;
  virtual MailId id() const = 0;  // known from the start, for the Received line
  // The next bytes of the content, in canonical form (CRLF, no dot-stuffing, header first). Suspends while
  // the memory budget is used up (at last `no_memory`) or the disk is slow. `bytes` must stay valid until
  // then.
  virtual Task<Result<void, SinkError>> write(std::string_view bytes) = 0;
  // Suspends until envelope and content are on stable storage. At most one call, the last one.
  virtual Task<Result<void, SinkError>> commit(Envelope envelope) = 0;
};

// Counts the memory of an envelope under construction, until it is destroyed. This one has no limit.
class EnvelopeRoom {
 public:
  virtual ~EnvelopeRoom() = default;
  // Grows to `bytes` in all, for `recipients` so far. Does not suspend. Returns false and changes nothing if
  // there is not enough memory.
  virtual bool grow_to(std::uint64_t /*bytes*/, std::size_t /*recipients*/) { return true; }
};

class MailSink {
 public:
  virtual ~MailSink() = default;
  // Whether a message of `expected_size` bytes (0: unknown) would be accepted now; for MAIL, so that the
  // client is refused early. Does not suspend, reserves nothing.
  virtual Result<void, SinkError> may_accept(std::uint64_t expected_size) = 0;
  // For one transaction, from MAIL to the end of the commit. Must not outlive the sink.
  virtual std::unique_ptr<EnvelopeRoom> envelope_room() { return std::make_unique<EnvelopeRoom>(); }
  // Does not suspend. The writer must not outlive the sink.
  virtual Result<std::unique_ptr<MailWriter>, SinkError> begin() = 0;
  // The same for a notice about a queued mail, which is to be recorded or finished next (MailSource). It may use the
  // space that is reserved from new mail, so that a full disk can drain. A sink that can stores it together with that
  // next state of the mail: it is written after commit(), but is stored, and arrives, then, or never.
  virtual Result<std::unique_ptr<MailWriter>, SinkError> begin_notice(MailId /*about*/) { return begin(); }
  // That notice shall not be stored, if it is not yet: nothing has happened that it tells of.
  virtual void withdraw_notice(MailId /*notice*/) {}
  // The same for a mail that another hikyaku hands over: its time goes on, and it keeps its recipients. A sink that
  // keeps no times takes it as a new one.
  virtual Result<std::unique_ptr<MailWriter>, SinkError> begin_handed_over(const Handover& /*handover*/) {
    return begin();
  }
  // The same for a mail that lies in a file until it is stored. From the commit on MailSource::has() is true of it, even
  // if it has been delivered meanwhile, until forget_file() says that the file is gone.
  virtual Result<std::unique_ptr<MailWriter>, SinkError> begin_from_file() { return begin(); }
  virtual void forget_file(MailId /*id*/) {}
};

}  // namespace hikyaku::mail
