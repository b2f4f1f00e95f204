// SPDX-License-Identifier: MIT
// A segment made by hand, record by record, with a fixed key: the same bytes in every run, and every record's
// place known. For tests that damage it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "spool/record.h"
#include "spool/segment.h"

namespace hikyaku::test {

class SegmentImage {
 public:
  // `base` is what stood in the file before, of the header's size.
  SegmentImage(spool::SegmentHeader header, std::string base);

  // Each record is a batch of its own: it says that everything before it has been flushed. Returns its
  // offset.
  std::uint64_t add(spool::RecordHeader record, std::string_view head, std::string_view content);
  void close();  // with a footer

  const spool::SegmentHeader& header() const { return header_; }
  std::uint64_t end() const { return footer_.valid_length; }
  // How much of the file is in use at its end: its footer and the header's second copy.
  std::uint64_t footer_begin() const;
  spool::ClosedSegment closed() const { return {header_.number, end(), end()}; }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string encoded_footer() const;
  void put(std::uint64_t offset, std::string_view bytes) { bytes_.replace(offset, bytes.size(), bytes); }

  spool::SegmentHeader header_;
  spool::Footer footer_;
  std::string bytes_;
};

}  // namespace hikyaku::test
