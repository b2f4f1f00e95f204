// SPDX-License-Identifier: MIT
// Settings as text: every value that is in effect, and where it comes from, for `hikyaku config show` (a walk over
// the tables of keys, so that no key is missing), and the shortest file that means them. Pure. Shows no password.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/environment.h"
#include "daemon/config/settings.h"
#include "daemon/config/yaml.h"

namespace hikyaku::config {

struct EffectiveValue {
  enum class Kind { value, section, item };  // item: a map in a list begins, such as a smarthost
  Kind kind = Kind::value;
  unsigned depth = 0;
  std::string key{};                   // the last part of the path; empty: an item
  std::string path{};                  // "smarthosts[0].rewrite.null_sender"
  std::optional<std::string> value{};  // in one line, as it is written; nullopt: not set
  std::string origin{};                // "hikyaku.yaml:3", "preset gmail", "authinfo:1", "default"
  bool is_readable = true;             // false: hikyaku.yaml has no such key, it is for people
};

// `settings` were read from the source, credentials included.
std::vector<EffectiveValue> effective_values(const Settings& settings, const Source& source);

// A configuration file that means the same; what is not set stands in a comment.
std::string to_yaml(const std::vector<EffectiveValue>& values);

// What is as by default is left out: for files that a program writes for people to go on with. Read back with
// load_text() it gives the same settings, but for names that were empty.
std::string minimal_yaml(const Settings& settings);

}  // namespace hikyaku::config
