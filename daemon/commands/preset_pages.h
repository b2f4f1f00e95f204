// SPDX-License-Identifier: MIT
// What `hikyaku presets` prints: the providers as a table, and one of them as a page that ends in lines to paste.
// Pure.
#pragma once

#include <optional>
#include <string>

#include "daemon/base/json.h"
#include "daemon/config/presets.h"

namespace hikyaku::commands {

// A line each, with a heading; regions are counted at their family's line. Where a terminal of this width has no room
// for it, the servers are left out: their pages have them.
std::string preset_table(std::optional<std::size_t> width = std::nullopt);
// What it sets, demands and wants, how to get that, and what to write where.
std::string preset_page(const config::Preset& preset);
// The entry of `smarthosts` to paste, with the address that stands for the user's own.
std::string preset_yaml(const config::Preset& preset);

JsonObject to_json_object(const config::Preset& preset);

}  // namespace hikyaku::commands
