// SPDX-License-Identifier: MIT
#include "daemon/sendmail/content.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::sendmail {
namespace {

constexpr std::uint64_t kDraftPiece = 256 * 1024;

}  // namespace

Result<std::string_view, Failure> MemoryContent::next() {
  return std::exchange(given_, true) ? std::string_view() : std::string_view(bytes_);
}

bool MemoryContent::rewind() {
  given_ = false;
  return true;
}

Result<std::string_view, Failure> FileContent::next() {
  piece_.resize(std::min(kDraftPiece, size_ - given_));
  std::size_t filled = 0;
  while (filled < piece_.size()) {
    auto at = static_cast<off_t>(offset_ + given_ + filled);
    ssize_t got = ::pread(fd_, piece_.data() + filled, piece_.size() - filled, at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      return fail(Exit::try_again, cat("the message cannot be read back from the drop directory: ",
                                       os_error_text(got < 0 ? errno : EIO), "; nothing was sent"));
    filled += static_cast<std::size_t>(got);
  }
  given_ += filled;
  return piece_;
}

bool FileContent::rewind() {
  given_ = 0;
  return true;
}

Result<std::string_view, Failure> LiveContent::next() {
  if (!std::exchange(given_, true) && !piece_.empty()) return piece_;
  piece_.clear();
  auto more = input_.read(piece_);
  if (!more) return std::unexpected(more.error());
  return piece_;
}

}  // namespace hikyaku::sendmail
