// SPDX-License-Identifier: MIT
#include "daemon/mail/handover.h"

#include <algorithm>
#include <array>
#include <vector>

#include "daemon/base/text.h"
#include "daemon/mail/mail_source.h"

namespace hikyaku::mail {
namespace {

// Of each number, in their order.
constexpr std::array<std::uint64_t, 4> kMost = {std::uint64_t{1} << 52, std::uint64_t{1} << 52, 1'000'000, 1};

}  // namespace

Handover handover_of(const QueuedMail& mail) {
  return {.arrival = mail.arrival,
          .waited = mail.progress.waited,
          .attempts = mail.progress.attempts,
          .delay_noticed = mail.progress.delay_noticed};
}

Progress progress_of(const Handover& handover, std::size_t recipients) {
  Progress progress;
  progress.recipients.resize(recipients);
  progress.attempts = handover.attempts;
  progress.waited = handover.waited;
  progress.delay_noticed = handover.delay_noticed;
  if (handover.attempts > 0) progress.reason = "another hikyaku has tried it, and has handed it over";
  return progress;
}

// A record that is damaged or of a clock that stood wrong must not make a parameter that nobody takes.
std::string to_text(const Handover& handover) {
  const std::array numbers = {handover.arrival.time_since_epoch().count(), handover.waited.count(),
                              std::int64_t{handover.attempts}, std::int64_t{handover.delay_noticed}};
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < numbers.size(); ++i)
    texts.push_back(
        std::to_string(std::clamp(numbers[i], std::int64_t{0}, static_cast<std::int64_t>(kMost[i]))));
  return join(texts, ",");
}

std::optional<Handover> parse_handover(std::string_view text) {
  const auto parts = split(text, ',');
  if (parts.size() != kMost.size()) return std::nullopt;
  std::array<std::uint64_t, kMost.size()> numbers{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto number = parse_number(parts[i]);
    if (!number || *number > kMost[i]) return std::nullopt;
    numbers[i] = *number;
  }
  return Handover{.arrival = WallTime(Duration(static_cast<std::int64_t>(numbers[0]))),
                  .waited = Duration(static_cast<std::int64_t>(numbers[1])),
                  .attempts = static_cast<std::uint32_t>(numbers[2]),
                  .delay_noticed = numbers[3] == 1};
}

}  // namespace hikyaku::mail
