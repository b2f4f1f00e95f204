// SPDX-License-Identifier: MIT
// The configuration: never crashes or hangs; what comes out is complete, and a problem is one clean line.
#include <algorithm>
#include <string>

#include "daemon/base/text.h"
#include "daemon/config/load.h"
#include "tests/fuzz/fuzz.h"

using namespace hikyaku;

namespace {

void check_problem(const config::Problem& problem) {
  std::string line = config::to_text(problem);
  check(!problem.text.empty(), "a problem without words");
  check(std::ranges::none_of(line, [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; }),
        "a control in a problem");
  check(is_valid_utf8(line), "a problem is not UTF-8");
}

void check_settings(const config::Settings& settings) {
  check(!settings.smarthosts.empty() && !settings.hostname.empty() && !settings.domain.empty(),
        "a setting is missing");
  check(!settings.listen.endpoints.empty() && !settings.allow.empty(), "nobody could send");
  for (const mail::Smarthost& smarthost : settings.smarthosts)
    check(!smarthost.host.empty() && !smarthost.name.empty() && smarthost.port != 0, "half a smarthost");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto loaded = config::load_text(test::as_text(data, size), "f", {"a.example"});
  if (loaded) {
    check_settings(*loaded);
  } else {
    check(!loaded.error().empty(), "refused without a reason");
    std::ranges::for_each(loaded.error(), check_problem);
  }
  return 0;
}
