// SPDX-License-Identifier: MIT
#include "spool/segment_file.h"

#include <algorithm>

#include "daemon/base/random.h"
#include "daemon/base/text.h"
#include "spool/faults.h"

namespace hikyaku::spool {
namespace {

constexpr std::size_t kZerosPiece = 1U << 20;

// A segment that will not fit must not take the last block from everybody else while that is found out.
Result<void, DiskError> reserve(Disk& disk, DiskFile& file, std::uint64_t size) {
  auto space = disk.space();
  if (!space) return std::unexpected(space.error());
  if (space->free_bytes < size)
    return fail(std::errc::no_space_on_device, "no room for another segment in log/");
  return file.allocate(size);
}

Result<void, DiskError> write_prepared(DiskFile& file, SegmentHeader& header) {
  header.state = SegmentState::prepared;
  header.closed.clear();
  fill_random(header.key);
  auto written = write_segment_header(file, header.size, encode_segment_header(header));
  if (!written) return written;
  return file.flush();
}

Result<void, DiskError> fill(Disk& disk, DiskFile& file, SegmentHeader& header) {
  auto filled = reserve(disk, file, header.size);
  if (filled) filled = fill_with_zeros(file, 0, header.size);
  if (!filled) return filled;
  return write_prepared(file, header);
}

// An attempt that failed half-way may have renamed it.
Result<std::unique_ptr<DiskFile>, DiskError> open_spare(Disk& disk, const std::string& path,
                                                        SegmentNumber number) {
  auto file = disk.open_for_writing(path);
  bool is_gone = !file && file.error().kind == std::errc::no_such_file_or_directory;
  return is_gone ? disk.open_for_writing(segment_path(number)) : std::move(file);
}

// The number is still the old one where there is one: what the header says and the name must not contradict
// each other while the file may have either name.
Result<void, DiskError> mark_free(DiskFile& file, SegmentHeader header) {
  DecodedHeader old = read_segment_header(file);
  if (old.verdict == HeaderVerdict::ok) header.number = old.header.number;
  header.state = SegmentState::free;
  auto written = write_segment_header(file, header.size, encode_segment_header(header));
  if (!written) return written;
  return file.flush();
}

Result<void, DiskError> rename_durably(Disk& disk, const std::string& path, SegmentNumber number) {
  auto renamed = disk.rename(path, segment_path(number));
  if (!renamed && renamed.error().kind != std::errc::no_such_file_or_directory) return renamed;
  if (is_injected(Fault::no_fsync_log_dir_on_recycle)) return {};
  return disk.sync_directory("log");
}

Result<void, DiskError> publish(Disk& disk, SegmentNumber number) {
  auto renamed = disk.rename(preparing_path(number), segment_path(number));
  if (!renamed) return renamed;
  if (is_injected(Fault::no_fsync_log_dir)) return {};
  return disk.sync_directory("log");
}

DecodedHeader read_header_at(DiskFile& file, std::uint64_t offset) {
  auto bytes = read_exactly(file, offset, kSegmentHeader);
  if (bytes) return decode_segment_header(*bytes);
  bool is_short = bytes.error().kind == std::errc::no_message_available;
  return {is_short ? HeaderVerdict::unreadable : HeaderVerdict::read_error, {}};
}

}  // namespace

Result<SegmentFile, DiskError> prepare_segment(Disk& disk, SegmentHeader header) {
  std::string path = preparing_path(header.number);
  (void)disk.unlink(path);  // left by an attempt that failed
  auto file = disk.create(path);
  if (!file) return std::unexpected(file.error());
  auto done = fill(disk, **file, header);
  if (done) done = publish(disk, header.number);
  if (done) return SegmentFile{std::move(*file), std::move(header)};
  (void)disk.unlink(path);  // gives the room back; recovery would do it too
  return std::unexpected(done.error());
}

Result<SegmentFile, DiskError> recycle_segment(Disk& disk, const std::string& path, SegmentHeader header) {
  auto file = open_spare(disk, path, header.number);
  if (!file) return std::unexpected(file.error());
  auto done = mark_free(**file, header);
  if (done) done = rename_durably(disk, path, header.number);
  if (done) done = write_prepared(**file, header);
  if (!done) return std::unexpected(done.error());
  return SegmentFile{std::move(*file), std::move(header)};
}

// Each deletion is durable before the next: were the younger of two lost and the older not, a DONE would be
// gone and its MESSAGE back.
Result<void, DiskError> delete_segment(Disk& disk, SegmentNumber number) {
  auto done = disk.unlink(segment_path(number));
  bool is_gone = done || done.error().kind == std::errc::no_such_file_or_directory;
  return is_gone ? disk.sync_directory("log") : done;
}

Result<void, DiskError> fill_with_zeros(DiskFile& file, std::uint64_t begin, std::uint64_t end) {
  const std::string zeros(std::min<std::uint64_t>(kZerosPiece, end - begin), '\0');
  for (std::uint64_t at = begin; at < end; at += zeros.size()) {
    auto length = static_cast<std::size_t>(std::min<std::uint64_t>(zeros.size(), end - at));
    auto written = write_all(file, std::string_view(zeros).substr(0, length), at);
    if (!written) return written;
  }
  return {};
}

Result<void, DiskError> write_segment_header(DiskFile& file, std::uint64_t size, std::string_view header) {
  auto first = write_all(file, header, 0);
  if (!first) return first;
  return write_all(file, header, size - kBlock);
}

DecodedHeader read_segment_header(DiskFile& file) {
  DecodedHeader first = read_header_at(file, 0);
  auto size = file.size();
  if (first.verdict == HeaderVerdict::ok || first.verdict == HeaderVerdict::later_format || !size)
    return first;
  DecodedHeader last = *size < kBlock ? DecodedHeader() : read_header_at(file, *size - kBlock);
  return last.verdict == HeaderVerdict::unreadable ? first : last;
}

Result<void, DiskError> write_footer(DiskFile& file, const Footer& footer, std::uint64_t size,
                                     std::uint64_t seed) {
  const std::string bytes = encode_footer(footer, seed, footer_end(size) - footer.valid_length);
  auto written = write_all(file, bytes, footer_end(size) - bytes.size());
  if (!written) return written;
  return file.flush();
}

std::optional<Footer> read_footer(DiskFile& file, const SegmentHeader& header) {
  std::uint64_t seed = segment_seed(header);
  auto trailer = read_exactly(file, footer_begin(header.size, 0), kFooterTrailer);
  auto length = decode_footer_length(trailer ? *trailer : std::string(), header.size, seed);
  if (!length || *length > footer_end(header.size) - records_begin()) return std::nullopt;
  auto bytes = read_exactly(file, footer_end(header.size) - *length, static_cast<std::size_t>(*length));
  return decode_footer(bytes ? *bytes : std::string(), header.size, seed);
}

}  // namespace hikyaku::spool
