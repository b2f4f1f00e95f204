// SPDX-License-Identifier: MIT
#include "spool/view_large.h"

#include <algorithm>

#include "daemon/base/checksum.h"
#include "daemon/base/text.h"
#include "spool/recovery.h"
#include "spool/stored.h"

namespace hikyaku::spool {
namespace {

constexpr std::size_t kBodyPiece = 1U << 20;

std::unexpected<mail::SourceError> damaged(mail::MailId id) {
  return fail(mail::SourceErrorKind::damaged,
              cat("the body of mail ", to_text(id), " in ", large_path(id), " is damaged"));
}

}  // namespace

Result<void, mail::SourceError> read_large(DiskFile& file, const RecordHeader& message,
                                           const std::function<bool(std::string_view)>& take) {
  Checksum sum(large_seed(message.id));
  std::string piece(kBodyPiece, '\0');
  for (std::uint64_t at = 0; at < message.content_length;) {
    auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kBodyPiece, message.content_length - at));
    auto got = file.read(std::span(piece).first(wanted), at);
    if (!got) return std::unexpected(to_source_error(got.error()));
    if (*got < wanted) return damaged(message.id);
    std::string_view bytes = std::string_view(piece).substr(0, wanted);
    sum.update(bytes);
    if (!take(bytes)) return {};
    at += wanted;
  }
  if (sum.digest() != message.content_checksum) return damaged(message.id);
  return {};
}

}  // namespace hikyaku::spool
