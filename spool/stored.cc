// SPDX-License-Identifier: MIT
#include "spool/stored.h"

#include "daemon/base/checksum.h"
#include "daemon/base/text.h"

namespace hikyaku::spool {

using mail::SourceError;
using mail::SourceErrorKind;

namespace {

std::unexpected<SourceError> damaged(const StoredAt& at) {
  return fail(SourceErrorKind::damaged, cat("the record of mail ", to_text(at.id), " in ",
                                            segment_path(at.place.segment), " is damaged"));
}

Result<std::string, SourceError> read(DiskFile& file, const StoredAt& at, std::uint64_t offset,
                                      std::size_t length) {
  auto bytes = read_exactly(file, at.place.offset + offset, length);
  if (!bytes) return std::unexpected(to_source_error(bytes.error()));
  return std::move(*bytes);
}

Result<std::unique_ptr<DiskFile>, SourceError> open_segment(Disk& disk, const StoredAt& at) {
  auto file = disk.open_for_reading(segment_path(at.place.segment));
  if (!file) return std::unexpected(to_source_error(file.error()));
  return std::move(*file);
}

}  // namespace

Result<StoredHead, SourceError> read_head(Disk& disk, const StoredAt& at) {
  auto file = open_segment(disk, at);
  if (!file) return std::unexpected(file.error());
  return read_head(**file, at);
}

Result<std::string, SourceError> read_content(Disk& disk, const StoredAt& at, std::uint64_t length) {
  auto file = open_segment(disk, at);
  if (!file) return std::unexpected(file.error());
  return read_content(**file, at, length);
}

Result<StoredHead, SourceError> read_head(DiskFile& file, const StoredAt& at) {
  auto bytes = read(file, at, 0, kRecordHeader + at.place.head_length);
  if (!bytes) return std::unexpected(bytes.error());
  RecordSeed seed(at.seed, at.place.offset);
  auto header = decode_record_header(*bytes, seed);
  bool is_ours =
      header && header->id == at.id && header->type == at.type && header->head_length == at.place.head_length;
  if (!is_ours) return damaged(at);
  bytes->erase(0, kRecordHeader);
  if (checksum(*bytes, seed.head) != header->head_checksum) return damaged(at);
  return StoredHead{*header, std::move(*bytes)};
}

Result<std::string, SourceError> read_content(DiskFile& file, const StoredAt& at, std::uint64_t length) {
  auto head = read_head(file, at);
  if (!head) return std::unexpected(head.error());
  if (head->header.large || head->header.content_length != length) return damaged(at);
  auto content = read(file, at, kRecordHeader + at.place.head_length, static_cast<std::size_t>(length));
  if (!content) return content;
  RecordSeed seed(at.seed, at.place.offset);
  if (checksum(*content, seed.content) != head->header.content_checksum) return damaged(at);
  return content;
}

ContentPlace content_place(const StoredAt& at, const RecordHeader& header) {
  return {.path = segment_path(at.place.segment),
          .offset = at.place.offset + kRecordHeader + at.place.head_length,
          .length = header.content_length,
          .checksum = header.content_checksum,
          .seed = RecordSeed(at.seed, at.place.offset).content};
}

SourceError to_source_error(const DiskError& error) {
  bool is_missing =
      error.kind == std::errc::no_such_file_or_directory || error.kind == std::errc::no_message_available;
  return {is_missing ? SourceErrorKind::damaged : SourceErrorKind::read_failed, error.text};
}

}  // namespace hikyaku::spool
