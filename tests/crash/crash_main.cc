// SPDX-License-Identifier: MIT
// crash_histories [--script NAME [--cut STEP --seed SEED]] [--seeds N] [--parts N] [--walks N] [--seconds S]
// [--failures N] Cuts every step of the scripted histories (or of one), N fates each (0: none of them;
// --parts: one of so many parts of these cuts), plays the long one to its end, then wanders through N random
// ones, and further ones for S seconds. Exit 0: every promise was kept; 1: one was not, see the output; 64:
// usage.
#include <algorithm>
#include <iostream>
#include <map>

#include "daemon/base/random.h"
#include "daemon/base/text.h"
#include "tests/crash/campaign.h"

using namespace hikyaku;
using namespace hikyaku::test;

namespace {

using Options = std::map<std::string, std::string, std::less<>>;

std::uint64_t number(const Options& options, std::string_view name, std::uint64_t otherwise) {
  auto option = options.find(name);
  return option == options.end() ? otherwise : parse_number(option->second).value_or(otherwise);
}

// The scripted ones, or the one that is asked for; "random:7" is made from its number.
std::vector<Script> chosen_scripts(const Options& options) {
  auto chosen = options.find("--script");
  if (chosen == options.end()) return scripts();
  std::string_view name = chosen->second;
  for (const Script& script : scripts())
    if (script.name == name) return {script};
  Script script = random_script(parse_number(name.substr(name.find(':') + 1)).value_or(0));
  script.name = name;
  return {std::move(script)};
}

// Every history with one fate before any with the next: a fault is found early. The second is the most varied
// one.
void cut_all(Campaign& campaign, const std::vector<Script>& chosen, std::uint64_t seeds,
             std::uint64_t parts) {
  for (std::uint64_t i = 0; i < seeds && !campaign.has_seen_enough(); ++i)
    for (std::uint64_t number = 0; number < chosen.size(); ++number)
      campaign.cut_everywhere(chosen[number], i * 8 % 9 + i / 9 * 9, {parts, number});
  std::cout << chosen.size() << " scripted histories: " << campaign.steps_cut() << " of "
            << campaign.steps_seen() << " fates of their steps, " << campaign.cuts() << " cuts" << std::endl;
}

void wander(Campaign& campaign, const Options& options) {
  std::uint64_t before = campaign.cuts();
  std::uint64_t first = number(options, "--seed", random_number() % 1'000'000'000);
  std::uint64_t seed = first;
  std::uint64_t end = first + number(options, "--walks", 0);
  while (!campaign.has_seen_enough() && seed < end) campaign.wander(seed++);
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds(number(options, "--seconds", 0));
  while (!campaign.has_seen_enough() && std::chrono::steady_clock::now() < until) campaign.wander(seed++);
  std::cout << seed - first << " random histories from " << first << " on: " << campaign.cuts() - before
            << " cuts" << std::endl;
}

void run(Campaign& campaign, const Options& options) {
  std::vector<Script> chosen = chosen_scripts(options);
  if (options.contains("--cut"))
    return campaign.cut_once(chosen.front(), number(options, "--cut", 1), number(options, "--seed", 0));
  std::uint64_t seeds = number(options, "--seeds", 9);
  cut_all(campaign, chosen, seeds, std::max<std::uint64_t>(number(options, "--parts", 1), 1));
  if (seeds > 0 && !options.contains("--script")) campaign.play_through(long_script());
  if (!campaign.has_seen_enough() && !options.contains("--script")) wander(campaign, options);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) options[argv[i]] = argv[i + 1];
  if (argc % 2 == 0) {
    std::cerr << "usage: crash_histories [--script NAME [--cut STEP --seed SEED]] [--seeds N] [--parts N] "
                 "[--walks N] [--seconds S] [--failures N]\n";
    return 64;
  }
  ManualClock clock;
  io::Loop loop(clock);
  Campaign campaign(loop, number(options, "--failures", 3));
  run(campaign, options);
  std::cout << (campaign.has_failed() ? "FAILED" : "passed") << std::endl;
  return campaign.has_failed() ? 1 : 0;
}
