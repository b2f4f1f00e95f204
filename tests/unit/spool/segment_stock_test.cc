// SPDX-License-Identifier: MIT
#include "spool/segment_stock.h"

#include <doctest/doctest.h>

namespace hikyaku::spool {
namespace {

struct StockFixture {
  ManualClock clock{false};
  io::Loop loop{clock};
  SegmentStock stock{loop, 1U << 16U, recovered(), 7};

  static Recovered recovered() {
    Recovered recovered;
    recovered.spares = {"log/a", "log/b"};
    return recovered;
  }
  void prepare() { stock.add(SegmentFile{nullptr, stock.next_header()}); }
};

}  // namespace

TEST_CASE_FIXTURE(StockFixture,
                  "segment stock: prepared segments are numbered upwards and taken from either end") {
  for (int i = 0; i < 3; ++i) prepare();
  CHECK(stock.ready() == 3);
  SegmentPtr last = stock.take_last();
  CHECK(last->header.number == 9);
  stock.put_back(std::move(last));
  CHECK(stock.take_first()->header.number == 7);
  CHECK(stock.take_first()->header.number == 8);
  CHECK(stock.take_first()->header.number == 9);
  CHECK(stock.take_last() == nullptr);
}

TEST_CASE_FIXTURE(StockFixture,
                  "segment stock: after a failure the next attempt waits, and a success ends the shortage") {
  CHECK(stock.may_try());
  stock.add(fail(std::errc::no_space_on_device, "full"));
  REQUIRE(stock.shortage());
  CHECK(stock.shortage()->kind == std::errc::no_space_on_device);
  CHECK_FALSE(stock.may_try());
  CHECK(stock.next_header().number == 7);
  clock.advance(stock.retry_at() - clock.now());
  CHECK(stock.may_try());
  CHECK(stock.shortage());
  prepare();
  CHECK_FALSE(stock.shortage());
  CHECK(stock.next_header().number == 8);
}

TEST_CASE_FIXTURE(StockFixture,
                  "segment stock: files of an earlier run are taken in order, one that stays comes last") {
  CHECK(stock.spares() == 2);
  std::string first = stock.take_spare();
  CHECK(first == "log/a");
  stock.add_spare(std::move(first));
  CHECK(stock.take_spare() == "log/b");
  CHECK(stock.take_spare() == "log/a");
  CHECK(stock.spares() == 0);
}

}  // namespace hikyaku::spool
