// SPDX-License-Identifier: MIT
// The configuration: never crashes or hangs; what comes out is complete, means the same when it is shown and read
// again, and a problem is one clean line.
#include <algorithm>
#include <string>

#include "daemon/base/text.h"
#include "daemon/config/effective.h"
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

// What is shown is written out, defaults included.
config::Settings all_explicit(config::Settings settings) {
  settings.listen.is_explicit = settings.authinfo.is_explicit = settings.aliases.is_explicit = true;
  settings.dkim.is_explicit = true;
  return settings;
}

void check_shown(const config::Settings& settings, std::string_view text) {
  const std::string yaml =
      config::to_yaml(config::effective_values(settings, config::Source{std::string(text), "f"}));
  auto again = config::load_text(yaml, "g", {"b.example"});
  check(again && all_explicit(*again) == all_explicit(settings), "what is shown means something else");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto loaded = config::load_text(test::as_text(data, size), "f", {"a.example"});
  if (loaded) {
    check_settings(*loaded);
    check_shown(*loaded, test::as_text(data, size));
  } else {
    check(!loaded.error().empty(), "refused without a reason");
    std::ranges::for_each(loaded.error(), check_problem);
  }
  return 0;
}
