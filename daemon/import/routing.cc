// SPDX-License-Identifier: MIT
#include "daemon/import/routing.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/route_keys.h"

namespace hikyaku::importing {
namespace {

// Less is more specific: an address, a domain, the domains below one, of those the longer ones first.
std::pair<int, std::size_t> rank_of(const mail::AddressPattern& pattern) {
  const std::string& text = pattern.text();
  const int kind = text.starts_with("*@*.") ? 2 : text.starts_with("*@") ? 1 : 0;
  return {kind, kind < 2 ? 0 : 1000 - std::min<std::size_t>(text.size(), 1000)};
}

// Neighbours with the same smarthost become one route.
void append(std::vector<config::RouteSettings>& routes, mail::AddressPatterns config::RouteSettings::* side,
            const mail::AddressPattern& pattern, const std::string& smarthost) {
  const mail::AddressPatterns all{mail::AddressPattern::all()};
  const std::vector<std::vector<std::string>> via{{smarthost}};
  if (!routes.empty() && routes.back().via == via && routes.back().*side != all)
    return (routes.back().*side).push_back(pattern);
  config::RouteSettings route;
  route.*side = {pattern};
  route.via = via;
  routes.push_back(std::move(route));
}

}  // namespace

bool Routing::add(std::vector<Row>& rows, std::string_view key, const std::string& smarthost) {
  auto pattern = pattern_of(key);
  if (!pattern) return false;
  const bool is_there = std::ranges::find(rows, *pattern, &Row::pattern) != rows.end();
  auto by_rank = [](const Row& row) { return rank_of(row.pattern); };
  const auto at = std::ranges::upper_bound(rows, rank_of(*pattern), {}, by_rank);
  if (!is_there) rows.insert(at, {std::move(*pattern), smarthost});
  return true;
}

bool Routing::add_recipient(std::string_view key, const std::string& smarthost) {
  return add(recipients_, key, smarthost);
}

bool Routing::add_sender(std::string_view key, const std::string& smarthost) {
  return add(senders_, key, smarthost);
}

void Routing::put_into(Imported& imported) {
  if (recipients_.empty() && senders_.empty()) return;
  std::vector<config::RouteSettings> routes;
  for (const Row& row : recipients_) append(routes, &config::RouteSettings::to, row.pattern, row.smarthost);
  const std::size_t to_recipients = routes.size();
  std::vector<config::RouteSettings> by_sender;
  for (const Row& row : senders_) append(by_sender, &config::RouteSettings::from, row.pattern, row.smarthost);
  std::ranges::move(by_sender, std::back_inserter(routes));
  if (rest_.empty()) rest_.push_back(imported.direct_smarthost().name);
  config::RouteSettings rest;
  for (const std::string& name : rest_) rest.via.push_back({name});
  if (routes.size() >= config::kMostRoutes) {
    imported.remark({}, "routes",
                    cat("there are ", std::to_string(routes.size()), " of them, ",
                        std::to_string(to_recipients), " by recipient, and hikyaku takes at most ",
                        std::to_string(config::kMostRoutes), "; those at the end were left out"));
    routes.erase(routes.begin() + config::kMostRoutes - 1, routes.end());
  }
  routes.push_back(std::move(rest));
  imported.settings.routes = std::move(routes);
}

}  // namespace hikyaku::importing
