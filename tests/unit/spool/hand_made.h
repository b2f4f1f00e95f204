// SPDX-License-Identifier: MIT
// A log written by hand, record by record, for what a daemon writes only now and then.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "daemon/base/random.h"
#include "spool/record.h"
#include "spool/segment_file.h"
#include "tests/support/disk/sim_disk.h"

namespace hikyaku::spool {

class HandMadeLog {
 public:
  explicit HandMadeLog(test::SimDisk& disk) : disk_(disk) {
    for (const char* name : {"log", "large"}) REQUIRE(disk.make_directory(name));
  }

  // What follows goes into a new segment.
  void segment(SegmentNumber number, SegmentState state = SegmentState::in_use,
               std::vector<ClosedSegment> closed = {}, SegmentNumber oldest = 1, std::uint8_t spool = 0) {
    header_ = SegmentHeader();
    header_.state = state;
    header_.number = number;
    header_.size = 64 << 10;
    header_.oldest = oldest;
    header_.spool.fill(spool);
    header_.closed = std::move(closed);
    fill_random(header_.key);
    auto file = disk_.create(segment_path(number));
    REQUIRE(file);
    REQUIRE((*file)->truncate(header_.size));
    REQUIRE(write_segment_header(**file, header_.size, encode_segment_header(header_)));
    at_ = records_begin();
  }
  void add(RecordHeader header, std::string_view head, std::string_view content = {}) {
    auto file = disk_.open_for_writing(segment_path(header_.number));
    REQUIRE(file);
    std::string bytes = encode_record(header, head, content, RecordSeed(segment_seed(header_), at_));
    REQUIRE(write_all(**file, bytes, at_));
    at_ += bytes.size();
  }

 private:
  test::SimDisk& disk_;
  SegmentHeader header_;
  std::uint64_t at_ = 0;
};

}  // namespace hikyaku::spool
