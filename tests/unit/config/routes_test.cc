// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "daemon/base/text.h"
#include "daemon/config/load.h"
#include "daemon/config/route_keys.h"

using namespace hikyaku;
using namespace hikyaku::config;

namespace {

Result<Settings, Problems> with_routes(std::string_view routes) {
  return load_text(cat("hostname: a.example\nsmarthosts:\n  - {name: main, host: smtp.example.com}\n",
                       "  - {name: Shop, host: smtp.example.net}\n  - {name: direct, url: 'mx:'}\n", routes),
                   "h.yaml", {});
}

std::string routes_problems(std::string_view routes) {
  auto loaded = with_routes(routes);
  return loaded ? "" : to_text(loaded.error(), "\n");
}

using Via = std::vector<std::vector<std::string>>;

struct RoutesComplaint {
  std::string_view yaml;
  std::string_view part;
};

constexpr RoutesComplaint kRoutesComplaints[] = {
    {"routes: main", "must be a list"},
    {"routes: []", "must be a list"},
    {"routes: [{from: '*@a.example'}]", "needs `via`"},
    {"routes: [{via: []}]", "must have at least one smarthost"},
    {"routes: [{via: [[]]}]", "must have at least one smarthost"},
    {"routes: [{via: [[[main]]]}]", "only the list `via` itself"},
    {"routes: [{via: [mian]}]", "no smarthost has this name; there is main, Shop, direct"},
    {"routes: [{via: [main, main]}]", "in the route already"},
    {"routes: [{via: [main, [shop, MAIN]]}]", "in the route already"},
    {"routes: [{from: 'a@', via: [main]}, {via: [main]}]", "routes[0].from"},
    {"routes: [{from: [], via: [main]}, {via: [main]}]", "at least one address or pattern"},
    {"routes: [{from: '*@a.example', via: [main]}]", "must end with a route for all other mail"},
    {"routes: [{via: [main]}, {to: '*@a.example', via: [shop]}]", "is never used"},
    {"routes: [{fro: '*@a.example', via: [main]}, {via: [main]}]", "did you mean `from`?"},
};

}  // namespace

TEST_CASE("routes: senders, recipients and groups are read as they are written") {
  auto settings = with_routes(
      "routes:\n  - {from: '*@shop.example', via: [shop]}\n"
      "  - {to: ['*@a.example', b@c.example], via: direct}\n  - {via: [[main, shop], direct]}\n");
  REQUIRE(settings);
  REQUIRE(settings->routes.size() == 3);
  CHECK(mail::to_text(settings->routes[0].from) == "*@shop.example");
  CHECK(mail::to_text(settings->routes[0].to) == "*");
  CHECK(settings->routes[0].via == Via{{"shop"}});
  CHECK(mail::to_text(settings->routes[1].to) == "*@a.example, b@c.example");
  CHECK(settings->routes[1].via == Via{{"direct"}});
  CHECK(settings->routes[2].via == Via{{"main", "shop"}, {"direct"}});
}

TEST_CASE("routes: without the key all mail goes to the smarthosts in their order") {
  auto settings = with_routes("");
  REQUIRE(settings);
  CHECK(settings->routes.empty());
  CHECK(routes_of(*settings) == std::vector<RouteSettings>{{.via = {{"main"}, {"Shop"}, {"direct"}}}});
}

TEST_CASE("routes: whatever is wrong is refused and explained") {
  for (const RoutesComplaint& c : kRoutesComplaints) {
    CAPTURE(c.yaml);
    const std::string lines = routes_problems(c.yaml);
    CAPTURE(lines);
    CHECK(lines.find(c.part) != std::string::npos);
    CHECK(lines.find("h.yaml:6:") != std::string::npos);
  }
}
