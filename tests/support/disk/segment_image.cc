// SPDX-License-Identifier: MIT
#include "tests/support/disk/segment_image.h"

#include <algorithm>

#include "spool/scan.h"

namespace hikyaku::test {

using namespace spool;

SegmentImage::SegmentImage(SegmentHeader header, std::string base)
    : header_(std::move(header)), bytes_(std::move(base)) {
  std::string encoded = encode_segment_header(header_);
  put(0, encoded);
  put(header_.size - kBlock, encoded);
  footer_.valid_length = records_begin();
}

std::uint64_t SegmentImage::add(RecordHeader record, std::string_view head, std::string_view content) {
  std::uint64_t offset = footer_.valid_length;
  RecordSeed seed(segment_seed(header_), offset);
  record.flushed = static_cast<std::uint32_t>(offset);
  record = sealed(record, head, content, seed);
  put(offset, encode_record(record, head, content, seed));
  footer_.entries.push_back(footer_entry(record, offset, head));
  footer_.valid_length += record_length(record);
  footer_.newest = record.wall;
  footer_.highest_id = std::max(footer_.highest_id, record.id);
  return offset;
}

void SegmentImage::close() { put(footer_begin(), encoded_footer()); }

std::string SegmentImage::encoded_footer() const {
  return encode_footer(footer_, segment_seed(header_), header_.size);
}

std::uint64_t SegmentImage::footer_begin() const {
  return footer_end(header_.size) - encoded_footer().size();
}

}  // namespace hikyaku::test
