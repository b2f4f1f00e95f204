// SPDX-License-Identifier: MIT
// The table of all keys of the document, and the document before the checks that concern several keys
// (load.h).
#pragma once

#include <optional>
#include <string>

#include "daemon/config/route_keys.h"
#include "daemon/config/schema.h"
#include "daemon/config/settings.h"

namespace hikyaku::config {

struct Document {
  Settings settings;
  // Where these keys are in the document, valid or not; views of its nodes.
  std::optional<Value> smarthost, smarthosts, listen, allow;
  std::optional<Value> from{};
  std::optional<std::string> from_address{};  // what `from` says, if that can be used
  RouteNames route_names{};
};

const Schema<Document>& document_schema();

}  // namespace hikyaku::config
