// SPDX-License-Identifier: MIT
#include "daemon/config/route_keys.h"

#include <algorithm>

#include "daemon/base/text.h"
#include "daemon/config/schema.h"

namespace hikyaku::config {
namespace {

struct RouteDraft {
  RouteSettings route;
  RouteNames names{};
  bool has_via = false;
};

using Group = std::vector<std::string>;

void read_smarthost_name(const Value& value, Group& group, RouteNames& names) {
  auto name = value.as_text("the name of a smarthost");
  if (!name) return;
  auto is_it = [&](const auto& named) { return equals_ignoring_case(named.second, *name); };
  if (std::ranges::any_of(names, is_it)) return value.problem("this smarthost is in the route already");
  names.emplace_back(value, *name);
  group.push_back(std::move(*name));
}

void read_group(const Value& value, RouteDraft& draft) {
  Group group;
  for (const Value& element : value.elements()) {
    if (element.is_list())
      element.problem("must be a name: only the list `via` itself may hold lists");
    else
      read_smarthost_name(element, group, draft.names);
  }
  if (value.is_list() && value.elements().empty()) value.problem("must have at least one smarthost");
  if (!group.empty()) draft.route.via.push_back(std::move(group));
}

void read_via(const Value& value, RouteDraft& draft) {
  draft.has_via = true;
  if (value.elements().empty()) value.problem("must have at least one smarthost");
  for (const Value& element : value.elements()) read_group(element, draft);
}

std::optional<YamlNode> show_via(const RouteDraft& draft) { return to_node(draft.route.via); }

Read<RouteDraft> patterns_of(mail::AddressPatterns RouteSettings::* member) {
  return {[member](const Value& value, RouteDraft& draft) {
            patterns(member)(value, draft.route);
            if (value.elements().empty()) value.problem("must have at least one address or pattern");
          },
          [member](const RouteDraft& draft) { return std::optional(to_node(draft.route.*member)); }};
}

const Schema<RouteDraft>& route_schema() {
  static const Schema<RouteDraft> kRoute{
      {"from", patterns_of(&RouteSettings::from)},
      {"to", patterns_of(&RouteSettings::to)},
      {"via", custom(read_via, show_via)},
  };
  return kRoute;
}

bool takes_everything(const RouteSettings& route) {
  auto is_all = [](const mail::AddressPattern& pattern) { return pattern == mail::AddressPattern::all(); };
  return std::ranges::any_of(route.from, is_all) && std::ranges::any_of(route.to, is_all);
}

// Mail that no route takes could never leave, and what stands behind one that takes everything is never used.
void check_order(const Value& value, const std::vector<RouteSettings>& routes) {
  const auto elements = value.elements();
  for (std::size_t i = 0; i + 1 < routes.size(); ++i)
    if (takes_everything(routes[i]))
      return elements[i + 1].problem(
          "is never used, because the route before it takes all mail: put it above");
  if (!routes.empty() && !takes_everything(routes.back()))
    value.problem(
        "must end with a route for all other mail, without `from` and `to`: `- {via: [NAME]}`; mail that no "
        "route takes could never leave");
}

}  // namespace

std::vector<RouteSettings> read_routes(const Value& value, RouteNames& names) {
  std::vector<RouteSettings> routes;
  if (!value.is_list() || value.elements().empty()) {
    value.problem("must be a list, with a line `- {from: PATTERN, to: PATTERN, via: [NAME]}` for each route");
    return routes;
  }
  if (value.elements().size() > kMostRoutes) {
    value.problem(cat("must have at most ", std::to_string(kMostRoutes), " routes"));
    return routes;
  }
  bool is_whole = true;
  for (const Value& element : value.elements()) {
    RouteDraft draft;
    read_map(element, route_schema(), draft);
    if (!draft.has_via) element.problem("needs `via`, the names of the smarthosts that take this mail");
    is_whole = is_whole && !draft.route.via.empty() && !draft.route.from.empty() && !draft.route.to.empty();
    for (const auto& name : draft.names) names.push_back(name);
    routes.push_back(std::move(draft.route));
  }
  if (is_whole) check_order(value, routes);
  return routes;
}

YamlNode show_routes(const std::vector<RouteSettings>& routes) {
  YamlNode list{YamlNode::Kind::sequence, {}, {}, {}};
  for (const RouteSettings& route : routes) list.items.push_back(show_map(route_schema(), RouteDraft{route}));
  return routes.empty() ? YamlNode{} : list;
}

void check_route_names(const RouteNames& names, const std::vector<mail::Smarthost>& smarthosts) {
  std::vector<std::string> known;
  for (const mail::Smarthost& smarthost : smarthosts) known.push_back(smarthost.name);
  for (const auto& [value, name] : names)
    if (std::ranges::none_of(known, [&](const auto& each) { return equals_ignoring_case(each, name); }))
      value.problem(cat("no smarthost has this name; there is ", join(known, ", ")));
}

bool takes(const RouteSettings& route, std::string_view sender, std::string_view recipient) {
  return mail::matches_any(route.from, sender) && mail::matches_any(route.to, recipient);
}

std::vector<RouteSettings> routes_of(const Settings& settings) {
  if (!settings.routes.empty()) return settings.routes;
  RouteSettings all;
  for (const mail::Smarthost& smarthost : settings.smarthosts) all.via.push_back({smarthost.name});
  return {all};
}

}  // namespace hikyaku::config
