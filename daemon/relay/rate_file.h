// SPDX-License-Identifier: MIT
// The use of hourly and daily rates, as text that outlives a restart: a line
// "rates 1 BOOT STEADY WALL", then for each quota one "ACCOUNT 10000/day RESERVED" followed by "AGE COUNT"
// for each portion, oldest first. Times are microseconds. "rates 2" where one of them counts recipients, as
// "10000_recipients/day": earlier versions, which would count messages, take nothing of that. Pure.
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
  std::uint64_t account = 0;
  mail::Rate rate;
  std::uint64_t reserved = 0;  // upper bound on what was sent since the last write
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
// Returns nullopt if the text is not complete. No number is so large that adding a few overflows.
std::optional<RateFile> parse_rate_file(std::string_view text);

}  // namespace hikyaku::relay
