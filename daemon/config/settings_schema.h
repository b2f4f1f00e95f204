// SPDX-License-Identifier: MIT
// The whole document's table of keys, and what was written of it before the checks between keys (load.h).
#pragma once

#include <optional>

#include "daemon/config/schema.h"
#include "daemon/config/settings.h"

namespace hikyaku::config {

struct Document {
  Settings settings;
  // Where these were written, if perhaps wrongly; views of the document's nodes.
  std::optional<Value> smarthost, smarthosts, listen, allow;
};

const Schema<Document>& document_schema();

}  // namespace hikyaku::config
