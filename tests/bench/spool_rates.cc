// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdio>
#include <map>
#include <vector>

#include "tests/bench/bare_spool.h"
#include "tests/bench/raw_log.h"
#include "tests/bench/spool_measures.h"

namespace hikyaku::bench {
namespace {

constexpr std::size_t kWriters[] = {1, 10, 50, 200};
// Of spool and bare disk within a round: what else the disk has to do changes from second to second.
constexpr int kTurns = 10;

struct Rounds {
  std::vector<double> rate, raw, ratio, flushes;
};

// "NAME=middle[lowest-highest]"
std::string spread(const char* name, std::vector<double> values, int digits) {
  std::ranges::sort(values);
  char text[128];
  std::snprintf(text, sizeof text, "%s=%.*f[%.*f-%.*f]", name, digits, values[values.size() / 2], digits,
                values.front(), digits, values.back());
  return text;
}

void print(std::size_t writers, Fate fate, const Rounds& rounds) {
  std::printf("spool writers=%zu messages=%s %s %s %s %s\n", writers, fate == Fate::end ? "end" : "stay",
              spread("msgs_per_s", rounds.rate, 0).c_str(), spread("raw_msgs_per_s", rounds.raw, 0).c_str(),
              spread("ratio", rounds.ratio, 2).c_str(), spread("flushes_per_msg", rounds.flushes, 4).c_str());
  std::fflush(stdout);
}

class Rates {
 public:
  Rates(const std::string& directory, double seconds)
      : seconds_(seconds), raw_(directory + "/raw"), spool_(directory + "/spool") {
    const Yield yield = spool_.take(1000, 10);
    size_in_log_ = static_cast<std::size_t>(yield.spent.bytes / yield.messages);
    spool_.empty();
  }

  // What has stayed is ended after the measurement, so that the ring turns in every case.
  void measure(std::size_t writers, Fate fate, Rounds& rounds) {
    Yield sum;
    double raw_rates = 0;
    for (int i = 0; i < kTurns; ++i) {
      raw_rates += raw_.rate(size_in_log_, seconds_ / kTurns);
      sum += spool_.take_for(seconds_ / kTurns, writers, fate);
    }
    spool_.empty();
    const auto messages = static_cast<double>(sum.messages);
    rounds.raw.push_back(raw_rates / kTurns);
    rounds.rate.push_back(messages / sum.seconds);
    rounds.ratio.push_back(rounds.rate.back() / rounds.raw.back());
    rounds.flushes.push_back(static_cast<double>(sum.spent.flushes) / messages);
  }

 private:
  double seconds_;
  RawLog raw_;
  BareSpool spool_;
  std::size_t size_in_log_;
};

}  // namespace

void measure_rates(const std::string& directory, double seconds, unsigned count) {
  Rates rates(directory, seconds);
  for (Fate fate : {Fate::end, Fate::stay}) {
    std::map<std::size_t, Rounds> results;
    for (unsigned i = 0; i < count; ++i)
      for (std::size_t writers : kWriters) rates.measure(writers, fate, results[writers]);
    for (const auto& [writers, rounds] : results) print(writers, fate, rounds);
  }
}

}  // namespace hikyaku::bench
