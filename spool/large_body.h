// SPDX-License-Identifier: MIT
// The content of a large message in a file of its own, large/<id>. It is written and flushed on the pool,
// never by the committer: a content of 50 MiB must not delay a hundred small acknowledgements. The order is a
// contract: file flushed, directory synced, and only then its MESSAGE submitted; unlinked only after its
// DONE's flush. A file that no record names is removed by recovery.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "daemon/base/checksum.h"
#include "daemon/mail/mail_id.h"
#include "daemon/mail/mail_source.h"
#include "spool/disk.h"
#include "spool/workers.h"

namespace hikyaku::spool {

class LargeBodyWriter {
 public:
  LargeBodyWriter(Disk& disk, Workers& workers, mail::MailId id);

  // Suspends until the kernel has the bytes; `bytes` lives until then.
  Task<Result<void, DiskError>> write(std::string_view bytes);
  // Suspends until content and name are on stable storage. The last call.
  Task<Result<void, DiskError>> finish();

  std::uint64_t length() const { return length_; }
  std::uint64_t checksum() const { return checksum_.digest(); }

 private:
  Result<void, DiskError> write_now(std::string_view bytes);
  Result<void, DiskError> finish_now();

  Disk& disk_;
  Workers& workers_;
  mail::MailId id_;
  std::unique_ptr<DiskFile> file_;  // opened by the first write
  std::uint64_t length_ = 0;
  Checksum checksum_;
};

// Where a content stands: a large body, or one that fills a part of a segment.
struct ContentPlace {
  std::string path;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::uint64_t checksum = 0;
  std::uint64_t seed = 0;  // of the checksum
};
ContentPlace large_place(mail::MailId id, std::uint64_t length, std::uint64_t checksum);

// Piece by piece, with the whole verified before the last piece is handed out.
class PieceReader {
 public:
  PieceReader(Disk& disk, Workers& workers, ContentPlace place, std::size_t longest);

  // The next up to `longest` bytes, empty at the end; valid until the next call.
  Task<Result<std::string_view, mail::SourceError>> next();

 private:
  Result<std::size_t, mail::SourceError> read_now();

  Disk& disk_;
  Workers& workers_;
  ContentPlace place_;
  std::size_t longest_;
  std::unique_ptr<DiskFile> file_;  // opened by the first read
  std::uint64_t position_ = 0;
  bool is_damaged_ = false;
  Checksum checksum_;
  std::string buffer_;
};

// What a body in transit holds of its content in any case, and where there is memory: each piece costs a turn
// of a pool thread and of the loop.
inline constexpr std::size_t kLargePiece = 64U << 10;
inline constexpr std::size_t kLongPiece = 1024U << 10;

}  // namespace hikyaku::spool
