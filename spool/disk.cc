// SPDX-License-Identifier: MIT
#include "spool/disk.h"

#include <cerrno>

#include "daemon/base/error.h"

namespace hikyaku::spool {
namespace {

// The rest of `pieces` after their first `written` bytes.
void drop_front(std::vector<std::string_view>& pieces, std::size_t written) {
  auto piece = pieces.begin();
  for (; piece != pieces.end() && written >= piece->size(); ++piece) written -= piece->size();
  if (piece != pieces.end()) piece->remove_prefix(written);
  pieces.erase(pieces.begin(), piece);
}

}  // namespace

bool is_disk_full(const DiskError& error) {
  return error.kind == std::errc::no_space_on_device || error.kind == static_cast<std::errc>(EDQUOT);
}

bool is_no_file(const DiskError& error) {
  return error.kind == std::errc::is_a_directory || error.kind == std::errc::too_many_symbolic_link_levels ||
         error.kind == std::errc::no_such_device_or_address || error.kind == std::errc::not_supported;
}

Result<void, DiskError> write_all(DiskFile& file, std::span<const std::string_view> pieces,
                                  std::uint64_t offset) {
  std::vector<std::string_view> left(pieces.begin(), pieces.end());
  drop_front(left, 0);
  while (!left.empty()) {
    auto written = file.write_some(left, offset);
    if (!written) return std::unexpected(written.error());
    check(*written > 0, "a write neither wrote nor failed");
    offset += *written;
    drop_front(left, *written);
  }
  return {};
}

Result<void, DiskError> write_all(DiskFile& file, std::string_view bytes, std::uint64_t offset) {
  return write_all(file, std::span(&bytes, 1), offset);
}

Result<std::string, DiskError> read_exactly(DiskFile& file, std::uint64_t offset, std::size_t length) {
  std::string bytes(length, '\0');
  auto got = file.read(bytes, offset);
  if (!got) return std::unexpected(got.error());
  if (*got < length) return fail(std::errc::no_message_available, "the file ends too early");
  return bytes;
}

}  // namespace hikyaku::spool
