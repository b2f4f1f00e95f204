// SPDX-License-Identifier: MIT
// The key `routes`: which smarthosts take which mail. Read in two steps, because the smarthosts that it names
// may stand behind it.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/config/settings.h"
#include "daemon/config/value.h"

namespace hikyaku::config {

inline constexpr std::size_t kMostRoutes = 200;

// The names in `via`, each with its place, to be checked when all smarthosts are known.
using RouteNames = std::vector<std::pair<Value, std::string>>;

std::vector<RouteSettings> read_routes(const Value& value, RouteNames& names);

// A null node where there are none.
YamlNode show_routes(const std::vector<RouteSettings>& routes);

// Reports names that no smarthost has.
void check_route_names(const RouteNames& names, const std::vector<mail::Smarthost>& smarthosts);

// The routes that are written; where there are none, all mail to the smarthosts in their order, each the next
// one's fallback.
std::vector<RouteSettings> routes_of(const Settings& settings);
bool takes(const RouteSettings& route, std::string_view sender, std::string_view recipient);
// The first that fits; the last one takes everything. An index. `settings_of`: the element's RouteSettings.
template <typename Route, typename SettingsOf = std::identity>
std::size_t route_for(const std::vector<Route>& routes, std::string_view sender, std::string_view recipient,
                      SettingsOf settings_of = {}) {
  auto fits = [&](const RouteSettings& route) { return takes(route, sender, recipient); };
  auto found = std::ranges::find_if(routes, fits, settings_of);
  return std::min(static_cast<std::size_t>(found - routes.begin()), routes.size() - 1);
}

}  // namespace hikyaku::config
