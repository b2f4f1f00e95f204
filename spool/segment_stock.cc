// SPDX-License-Identifier: MIT
#include "spool/segment_stock.h"

#include <utility>

namespace hikyaku::spool {

SegmentPtr open_segment(SegmentFile file) {
  auto segment = std::make_shared<OpenSegment>();
  segment->header = std::move(file.header);
  segment->seed = segment_seed(segment->header);
  segment->file = std::move(file.file);
  return segment;
}

SegmentStock::SegmentStock(io::Loop& loop, std::uint64_t segment_size, const Recovered& recovered,
                           SegmentNumber next_number)
    : loop_(loop),
      segment_size_(segment_size),
      spool_(recovered.spool),
      next_number_(next_number),
      spares_(recovered.spares.begin(), recovered.spares.end()) {}

SegmentPtr SegmentStock::take_first() {
  SegmentPtr segment = std::move(ready_.front());
  ready_.pop_front();
  return segment;
}

SegmentPtr SegmentStock::take_last() {
  if (ready_.empty()) return nullptr;
  SegmentPtr segment = std::move(ready_.back());
  ready_.pop_back();
  return segment;
}

void SegmentStock::put_back(SegmentPtr last) { ready_.push_back(std::move(last)); }

std::string SegmentStock::take_spare() {
  std::string path = std::move(spares_.front());
  spares_.pop_front();
  return path;
}

SegmentHeader SegmentStock::next_header() const {
  SegmentHeader header;
  header.number = next_number_;
  header.size = segment_size_;
  header.spool = spool_;
  header.created = loop_.clock().wall();
  return header;
}

void SegmentStock::add(Result<SegmentFile, DiskError> prepared) {
  if (!prepared) {
    shortage_ = std::move(prepared.error());
    retry_at_ = loop_.now() + kAfterFailure;
    return;
  }
  ready_.push_back(open_segment(std::move(*prepared)));
  ++next_number_;
  shortage_.reset();
}

}  // namespace hikyaku::spool
