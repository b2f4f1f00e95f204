// SPDX-License-Identifier: MIT
// crash_histories [--script NAME [--cut STEP --seed SEED]] [--seeds N] [--seconds S] [--failures N]
// Cuts every step of the scripted histories (or of one), N fates each, then wanders through random ones for S
// seconds. Exit 0: every promise was kept; 1: one was not, see the output; 64: usage.
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

Script named_script(std::string_view name) {
  for (const Script& script : scripts())
    if (script.name == name) return script;
  Script script = random_script(parse_number(name.substr(name.find(':') + 1)).value_or(0));
  script.name = name;
  return script;
}

void run(Campaign& campaign, const Options& options) {
  std::uint64_t seeds = number(options, "--seeds", 9);
  if (auto chosen = options.find("--script"); chosen != options.end()) {
    Script script = named_script(chosen->second);
    if (options.contains("--cut"))
      return campaign.cut_once(script, number(options, "--cut", 1), number(options, "--seed", 0));
    return campaign.cut_everywhere(script, seeds);
  }
  for (const Script& script : scripts()) {
    std::uint64_t before = campaign.cuts();
    campaign.cut_everywhere(script, seeds);
    std::cout << script.name << ": " << campaign.cuts() - before << " cuts" << std::endl;
  }
  std::uint64_t before = campaign.cuts();
  std::uint64_t seed = number(options, "--seed", random_number() % 1'000'000'000);
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds(number(options, "--seconds", 0));
  campaign.wander(seed, until);
  std::cout << "random histories from seed " << seed << ": " << campaign.cuts() - before << " cuts"
            << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) options[argv[i]] = argv[i + 1];
  if (argc % 2 == 0) {
    std::cerr << "usage: crash_histories [--script NAME [--cut STEP --seed SEED]] [--seeds N] [--seconds S] "
                 "[--failures N]\n";
    return 64;
  }
  ManualClock clock;
  io::Loop loop(clock);
  Campaign campaign(loop, number(options, "--failures", 3));
  run(campaign, options);
  std::cout << (campaign.has_failed() ? "FAILED" : "passed") << std::endl;
  return campaign.has_failed() ? 1 : 0;
}
