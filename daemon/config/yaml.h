// SPDX-License-Identifier: MIT
// A YAML document as a plain tree with the place of every node. Built from yaml-cpp's events so that
// nothing is expanded: aliases, tags and further documents are problems. No exception leaves this unit.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/error.h"
#include "daemon/config/problem.h"

namespace hikyaku::config {

struct YamlPlace {
  unsigned line = 0;  // both from 1
  unsigned column = 0;
};

struct YamlNode {
  enum class Kind { null, scalar, sequence, map };
  Kind kind = Kind::null;
  YamlPlace place;
  std::string scalar;
  std::vector<YamlNode> items;  // of a sequence; of a map: key, value, key, value, …
};

// An empty document is a null node. Problems: errors of YAML, and features that we do not accept.
Result<YamlNode, Problems> read_yaml(std::string_view text, const std::string& file);

}  // namespace hikyaku::config
