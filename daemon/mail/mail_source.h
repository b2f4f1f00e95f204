// SPDX-License-Identifier: MIT
// Where queued mail comes from, and where what became of it is written down. smtpc and the queue runner know
// the spool only as this.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/error.h"
#include "daemon/base/task.h"
#include "daemon/mail/envelope.h"
#include "daemon/mail/mail_id.h"
#include "daemon/mail/progress.h"

namespace hikyaku::mail {

enum class SourceErrorKind {
  damaged,       // a checksum does not hold: the mail is set aside and never sent
  read_failed,   // EIO and the like: try again later
  no_memory,     // the memory budget is used up: try again soon
  write_failed,  // the record is not on stable storage: try again later
  unknown_mail,  // done already, or never there
};
using SourceError = Error<SourceErrorKind>;

// Memory for a mail under way, counted until it goes.
class MailRoom {
 public:
  virtual ~MailRoom() = default;
};

// The content, read in pieces. Independent readers of one mail may be open at a time.
class ContentReader {
 public:
  virtual ~ContentReader() = default;
  // The next piece, empty at the end; valid until the next call. A piece has been verified before it is
  // returned, or, for a large body, the whole body is verified before its last piece is returned: `damaged`
  // then ends the attempt before the final dot.
  virtual Task<Result<std::string_view, SourceError>> next() = 0;
  virtual Task<Result<void, SourceError>> rewind() = 0;
};

struct QueuedMail {
  MailId id;
  Envelope envelope;
  Progress progress;
  WallTime arrival;        // for display only
  std::uint64_t size = 0;  // of the content, bytes
  std::shared_ptr<MailRoom> room{};
};

// What the index knows without reading.
struct QueueEntry {
  MailId id;
  std::uint64_t size = 0;
  Duration next_wait{0};
  bool held = false;
};

enum class Patience : std::uint8_t { none, some };

class MailSource {
 public:
  virtual ~MailSource() = default;
  virtual std::vector<QueueEntry> entries() const = 0;  // all that is queued, by id
  // Room for what load() gives and for what an attempt makes of it. Without patience it does not suspend;
  // `no_memory` then, or after a while.
  virtual Task<Result<std::shared_ptr<MailRoom>, SourceError>> make_room(MailId /*id*/, Patience) {
    co_return nullptr;
  }
  virtual Task<Result<QueuedMail, SourceError>> load(MailId id) = 0;
  virtual Result<std::unique_ptr<ContentReader>, SourceError> open(MailId id) = 0;
  // Suspends until the new state is on stable storage. Shares the next group commit.
  virtual Task<Result<void, SourceError>> record(MailId id, Progress progress) = 0;
  // The mail has ended; suspends until that is on stable storage. Whatever must be there before (a bounce)
  // has been committed by the caller.
  virtual Task<Result<void, SourceError>> finish(MailId id) = 0;
};

}  // namespace hikyaku::mail
