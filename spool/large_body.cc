// SPDX-License-Identifier: MIT
#include "spool/large_body.h"

#include <algorithm>

#include "daemon/base/text.h"
#include "spool/faults.h"
#include "spool/record.h"
#include "spool/recovery.h"
#include "spool/stored.h"

namespace hikyaku::spool {

using mail::SourceError;
using mail::SourceErrorKind;

LargeBodyWriter::LargeBodyWriter(Disk& disk, Workers& workers, mail::MailId id)
    : disk_(disk), workers_(workers), id_(id), checksum_(large_seed(id)) {}

Task<Result<void, DiskError>> LargeBodyWriter::write(std::string_view bytes) {
  return workers_.run([this, bytes] { return write_now(bytes); });
}

Result<void, DiskError> LargeBodyWriter::write_now(std::string_view bytes) {
  if (file_ == nullptr) {
    auto created = disk_.create(large_path(id_));
    bool is_gone = !created && created.error().kind == std::errc::no_such_file_or_directory;
    if (is_gone && make_directories(disk_)) created = disk_.create(large_path(id_));
    if (!created) return std::unexpected(created.error());
    file_ = std::move(*created);
  }
  auto written = write_all(*file_, bytes, length_);
  if (!written) return written;
  checksum_.update(bytes);
  length_ += bytes.size();
  return {};
}

Task<Result<void, DiskError>> LargeBodyWriter::finish() {
  return workers_.run([this] { return finish_now(); });
}

Result<void, DiskError> LargeBodyWriter::finish_now() {
  auto done = file_->flush();
  if (done) done = file_->close();
  file_.reset();
  if (!done || is_injected(Fault::no_fsync_large_dir)) return done;
  return disk_.sync_directory("large");
}

ContentPlace large_place(mail::MailId id, std::uint64_t length, std::uint64_t checksum) {
  return {
      .path = large_path(id), .offset = 0, .length = length, .checksum = checksum, .seed = large_seed(id)};
}

PieceReader::PieceReader(Disk& disk, Workers& workers, ContentPlace place, std::size_t longest)
    : disk_(disk), workers_(workers), place_(std::move(place)), longest_(longest), checksum_(place_.seed) {}

Task<Result<std::string_view, SourceError>> PieceReader::next() {
  if (position_ == place_.length && !is_damaged_) co_return std::string_view();
  auto got = co_await workers_.run([this] { return read_now(); });
  if (!got) co_return std::unexpected(got.error());
  co_return std::string_view(buffer_).substr(0, *got);
}

Result<std::size_t, SourceError> PieceReader::read_now() {
  if (is_damaged_) return fail(SourceErrorKind::damaged, cat(place_.path, " is damaged"));
  if (file_ == nullptr) {
    auto opened = disk_.open_for_reading(place_.path);
    if (!opened) return std::unexpected(to_source_error(opened.error()));
    file_ = std::move(*opened);
    buffer_.resize_and_overwrite(std::min<std::uint64_t>(longest_, place_.length),
                                 [](char*, std::size_t size) { return size; });  // without zeros
  }
  auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(longest_, place_.length - position_));
  auto got = file_->read(std::span(buffer_).first(wanted), place_.offset + position_);
  if (!got) return std::unexpected(to_source_error(got.error()));
  checksum_.update(std::string_view(buffer_).substr(0, *got));
  position_ += *got;
  bool is_cut_off = *got < wanted;
  bool is_wrong = position_ == place_.length && checksum_.digest() != place_.checksum;
  is_damaged_ = is_cut_off || is_wrong;
  if (is_damaged_) return fail(SourceErrorKind::damaged, cat(place_.path, " is damaged"));
  return *got;
}

}  // namespace hikyaku::spool
