// SPDX-License-Identifier: MIT
#include "daemon/relay/rate_file.h"

#include <algorithm>
#include <limits>

#include "daemon/base/text.h"

namespace hikyaku::relay {
namespace {

using Words = std::vector<std::string_view>;

constexpr std::uint64_t kMaxTime = std::numeric_limits<Duration::rep>::max() / 4;
constexpr std::uint64_t kMaxAge = static_cast<std::uint64_t>(Duration(48h).count());

// Versions of the format: what they may count.
constexpr std::string_view kMessages = "1", kRecipients = "2";

// The rate as one word: "10000/day", "10000_recipients/day".
std::string replaced(std::string_view text, char from, char to) {
  std::string word(text);
  std::ranges::replace(word, from, to);
  return word;
}

std::string_view version_of(const RateFile& file) {
  const bool has_recipients = std::ranges::any_of(
      file.records, [](const RateRecord& record) { return record.rate.of == mail::RateOf::recipients; });
  return has_recipients ? kRecipients : kMessages;
}

template <class Time>
std::string number(Time time) {
  return std::to_string(time.time_since_epoch().count());
}

std::optional<std::uint64_t> parse_up_to(std::uint64_t most, std::string_view digits) {
  auto number = parse_number(digits);
  return number && *number <= most ? number : std::nullopt;
}

std::optional<RateFile> parse_head(const Words& words) {
  if (words.size() != 5 || words[0] != "rates" || (words[1] != kMessages && words[1] != kRecipients))
    return std::nullopt;
  auto steady = parse_up_to(kMaxTime, words[3]);
  auto wall = parse_up_to(kMaxTime, words[4]);
  if (!steady || !wall) return std::nullopt;
  return RateFile{.boot = std::string(words[2]),
                  .steady = Instant(Duration(static_cast<Duration::rep>(*steady))),
                  .wall = WallTime(Duration(static_cast<Duration::rep>(*wall))),
                  .records = {}};
}

std::optional<RateRecord> parse_record(const Words& words) {
  if (words.size() < 3 || words.size() % 2 == 0) return std::nullopt;
  auto account = parse_number(words[0]);
  auto rate = mail::parse_rate(replaced(words[1], '_', ' '));
  auto reserved = parse_up_to(mail::kMaxRate, words[2]);
  if (!account || !rate || !reserved) return std::nullopt;
  RateRecord record{.account = *account, .rate = *rate, .reserved = *reserved, .used = {}};
  for (std::size_t i = 3; i < words.size(); i += 2) {
    auto age = parse_up_to(kMaxAge, words[i]);
    auto count = parse_up_to(mail::kMaxRate, words[i + 1]);
    if (!age || !count) return std::nullopt;
    record.used.push_back({Duration(static_cast<Duration::rep>(*age)), *count});
  }
  return record;
}

}  // namespace

std::string to_text(const RateFile& file) {
  std::string text =
      cat("rates ", version_of(file), " ", file.boot, " ", number(file.steady), " ", number(file.wall), "\n");
  for (const RateRecord& record : file.records) {
    text += cat(std::to_string(record.account), " ", replaced(mail::to_text(record.rate), ' ', '_'), " ",
                std::to_string(record.reserved));
    for (const UsedPortion& portion : record.used)
      text += cat(" ", std::to_string(portion.age.count()), " ", std::to_string(portion.count));
    text += "\n";
  }
  return text;
}

std::optional<RateFile> parse_rate_file(std::string_view text) {
  if (!text.ends_with('\n')) return std::nullopt;
  std::optional<RateFile> file;
  for (std::string_view line : split(text.substr(0, text.size() - 1), '\n')) {
    if (!file) {
      file = parse_head(words(line));
      if (!file) return std::nullopt;
    } else {
      auto record = parse_record(words(line));
      if (!record) return std::nullopt;
      file->records.push_back(std::move(*record));
    }
  }
  return file;
}

}  // namespace hikyaku::relay
