// SPDX-License-Identifier: MIT
// Shortcuts for tests of the configuration: text in, settings or the problems' texts out.
#pragma once

#include <string>
#include <string_view>

#include "daemon/base/text.h"
#include "daemon/config/load.h"
#include "doctest/doctest.h"

namespace hikyaku::config {

inline const Environment kTestEnvironment{"app1.example.com", ""};

inline Settings settings_of(std::string_view text) {
  auto loaded = load_text(text, "h.yaml", kTestEnvironment);
  for (const Problem& problem : loaded ? Problems{} : loaded.error()) FAIL(to_text(problem));
  return *loaded;
}

inline Problems problems_of(std::string_view text) {
  auto loaded = load_text(text, "h.yaml", kTestEnvironment);
  return loaded ? Problems{} : loaded.error();
}

// All problems, a line each; with `smarthost` given, so that only the key at hand is in question.
inline std::string complaints(std::string_view text) {
  std::string lines;
  for (const Problem& problem : problems_of(text)) lines += to_text(problem) + "\n";
  return lines;
}

inline std::string complaints_beside_smarthost(std::string_view text) {
  return complaints(cat("smarthost: smtps://smtp.example.com\n", text));
}

inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace hikyaku::config
