// SPDX-License-Identifier: MIT
// Where queued mail comes from and where its progress is recorded: the interface of smtpc and the queue
// runner to the spool.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/error.h"
#include "daemon/base/task.h"
#include "daemon/mail/envelope.h"
#include "daemon/mail/mail_id.h"
#include "daemon/mail/progress.h"

namespace hikyaku::mail {

enum class SourceErrorKind {
  damaged,       // a checksum does not match: the mail is set aside and never sent
  read_failed,   // EIO and the like: try again later
  no_memory,     // the memory budget is used up: try again soon
  write_failed,  // the record is not on stable storage: try again later
  unknown_mail,  // already finished, or never existed
};
using SourceError = Error<SourceErrorKind>;

// Counts the memory of a mail under way, until it is destroyed.
class MailRoom {
 public:
  virtual ~MailRoom() = default;
};

// Reads the content in pieces. Several independent readers of one mail may be open.
class ContentReader {
 public:
  virtual ~ContentReader() = default;
  // The next piece, empty at the end; valid until the next call. Every piece is verified before it is
  // returned; of a large body the whole is verified before its last piece, so that `damaged` ends the attempt
  // before the final dot.
  virtual Task<Result<std::string_view, SourceError>> next() = 0;
  virtual Task<Result<void, SourceError>> rewind() = 0;
  // Asked right before the final dot leaves. False: the mail has become another daemon's, and must not.
  virtual bool may_be_sent() const { return true; }
};

// A content in memory.
class TextContent final : public ContentReader {
 public:
  explicit TextContent(std::string text) : text_(std::move(text)) {}
  Task<Result<std::string_view, SourceError>> next() override {
    co_return std::exchange(is_read_, true) ? std::string_view() : std::string_view(text_);
  }
  Task<Result<void, SourceError>> rewind() override {
    is_read_ = false;
    co_return Result<void, SourceError>{};
  }

 private:
  std::string text_;
  bool is_read_ = false;
};

struct QueuedMail {
  MailId id;
  Envelope envelope;
  Progress progress;
  WallTime arrival;        // for display only
  std::uint64_t size = 0;  // of the content, bytes
  std::shared_ptr<MailRoom> room{};
};

// What the index knows without reading the disk.
struct QueueEntry {
  MailId id;
  std::uint64_t size = 0;
  Duration next_wait{0};
  bool held = false;
};

enum class Patience : std::uint8_t { none, some };

// Whether a mail may become another daemon's once it is recorded: nothing of it is under way or due here.
enum class MayGo : bool { no, yes };
// Where it is then. What is given back is nobody's: it comes again by a claim, here or elsewhere, when it is due.
enum class Recorded : bool { kept, given_back };

class MailSource {
 public:
  virtual ~MailSource() = default;
  virtual std::vector<QueueEntry> entries() const = 0;  // everything queued, ordered by id
  // Whether the mail is queued, at whichever daemon of a shared spool; or was, if it came from a file that may still be
  // there (MailSink::begin_from_file).
  virtual Task<Result<bool, SourceError>> has(MailId id);
  // Reserves memory for the result of load() and for an attempt with it. Patience::none does not suspend;
  // fails with `no_memory`, at once or after waiting.
  virtual Task<Result<std::shared_ptr<MailRoom>, SourceError>> make_room(MailId /*id*/, Patience) {
    co_return nullptr;
  }
  virtual Task<Result<QueuedMail, SourceError>> load(MailId id) = 0;
  virtual Result<std::unique_ptr<ContentReader>, SourceError> open(MailId id) = 0;
  // Suspends until the new state is on stable storage. Shares the next group commit. A spool that no other daemon
  // shares keeps the mail; a shared one may give it back if it has to wait.
  virtual Task<Result<Recorded, SourceError>> record(MailId id, Progress progress, MayGo may_go) = 0;
  // Ends the mail; suspends until that is on stable storage. The caller must have committed what has to come
  // before (a bounce).
  virtual Task<Result<void, SourceError>> finish(MailId id) = 0;
};

inline Task<Result<bool, SourceError>> MailSource::has(MailId id) {
  auto mail = co_await load(id);
  if (!mail && mail.error().kind == SourceErrorKind::read_failed) co_return std::unexpected(mail.error());
  co_return mail.has_value();
}

}  // namespace hikyaku::mail
