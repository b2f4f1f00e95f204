// SPDX-License-Identifier: MIT
#include "tests/chaos/history.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "daemon/base/text.h"

using namespace hikyaku;
using namespace hikyaku::test;

namespace {

constexpr std::uint64_t kAllSeeds = 300;

// HIKYAKU_CHAOS_SEED=N begins at another seed, HIKYAKU_CHAOS_SEEDS=N plays more of them.
std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : parse_number(text).value_or(otherwise);
}

}  // namespace

TEST_CASE("chaos: whatever a smarthost does, each mail ends once and as it was reported") {
  std::uint64_t first = number("HIKYAKU_CHAOS_SEED", 1);
  std::uint64_t seeds = number("HIKYAKU_CHAOS_SEEDS", kAllSeeds);
  MESSAGE(seeds, " of ", kAllSeeds, " histories");
  std::map<relay::Decided::Result, std::size_t> decisions;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    History history(seed);
    auto findings = history.play();
    for (const std::string& finding : findings) FAIL_CHECK("seed ", seed, ": ", finding);
    for (const auto& [result, count] : history.decisions()) decisions[result] += count;
    if (findings.empty() || seeds > 1) continue;
    MESSAGE(join(history.log(), "\n"));
    for (const LedgerEntry& entry : history.ledger().entries()) MESSAGE(to_text(entry));
  }
  if (seeds < 100) return;
  using Result = relay::Decided::Result;
  for (Result result : {Result::done, Result::unchanged, Result::under_way, Result::unknown}) {
    CAPTURE(static_cast<int>(result));
    CHECK(decisions[result] > seeds / 10);
  }
}
