// SPDX-License-Identifier: MIT
// What a restart must not forget of the rates by the hour and by the day, as text: a line
// "rates 1 BOOT STEADY WALL", then for each quota one "ACCOUNT 10000/day RESERVED" followed by "AGE COUNT"
// for each portion, oldest first. Times are microseconds. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/mail/smarthost.h"

namespace hikyaku::relay {

struct UsedPortion {
  Duration age{0};  // when the file was written
  std::uint64_t count = 0;
  bool operator==(const UsedPortion&) const = default;
};

struct RateRecord {
  std::uint64_t account = 0;  // whose
  mail::Rate rate;
  std::uint64_t reserved = 0;  // so many may have gone since, without another word in the file
  std::vector<UsedPortion> used;
  bool operator==(const RateRecord&) const = default;
};

struct RateFile {
  std::string boot;  // of the machine; one word
  Instant steady;    // both: when it was written
  WallTime wall;
  std::vector<RateRecord> records;
  bool operator==(const RateFile&) const = default;
};

std::string to_text(const RateFile& file);
// Nothing if it is not whole. No number in it is so large that adding a few overflows.
std::optional<RateFile> parse_rate_file(std::string_view text);

}  // namespace hikyaku::relay
