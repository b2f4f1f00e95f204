// SPDX-License-Identifier: MIT
#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/smarthost_draft.h"

namespace hikyaku::config {
namespace {

// What somebody meant who wrote another word for a unit. `m` is not simply taken: it could be a month.
std::string_view meant_unit(std::string_view word) {
  static constexpr std::pair<std::string_view, std::string_view> kOthers[] = {
      {"sec", "s"}, {"second", "s"}, {"m", "min"}, {"minute", "min"},
      {"hr", "h"},  {"hour", "h"},   {"d", "day"}};
  for (const auto& [other, unit] : kOthers)
    if (equals_ignoring_case(word, other)) return unit;
  for (std::string_view unit : mail::kRateUnits)
    if (word != unit && equals_ignoring_case(word, unit)) return unit;
  return {};
}

std::string explain(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view meant = slash == text.npos ? "" : meant_unit(text.substr(slash + 1));
  return cat(
      "must be a whole number from 1 to ", std::to_string(mail::kMaxRate),
      ", a slash and a unit out of s, min, h, day, such as 60/min, or a list such as [14/s, 10000/day]",
      meant.empty() ? "" : cat("; did you mean /", meant, "?"));
}

void read_rate(const Value& value, mail::Smarthost& smarthost) {
  const std::string_view text = value.text().value_or("");
  auto rate = mail::parse_rate(text);
  if (!rate) return value.problem(explain(text));
  if (std::ranges::find(smarthost.rates, rate->unit, &mail::Rate::unit) != smarthost.rates.end())
    return value.problem("another rate has this unit; write each unit once");
  smarthost.rates.push_back(*rate);
}

}  // namespace

void read_rates(const Value& value, mail::Smarthost& smarthost) {
  if (value.elements().empty()) value.problem("names no rate; to send without a limit, remove the key");
  for (const Value& element : value.elements()) read_rate(element, smarthost);
}

}  // namespace hikyaku::config
