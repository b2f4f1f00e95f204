// SPDX-License-Identifier: MIT
#include <algorithm>

#include "daemon/base/text.h"
#include "daemon/config/effective.h"
#include "daemon/config/hostname.h"
#include "daemon/config/load.h"
#include "daemon/config/settings_schema.h"
#include "daemon/config/smarthost_draft.h"
#include "daemon/config/yaml_text.h"

namespace hikyaku::config {
namespace {

bool is_same(const YamlNode& a, const YamlNode& b) {
  return a.kind == b.kind && a.scalar == b.scalar && std::ranges::equal(a.items, b.items, is_same);
}

// A map without the members that are not set, or as in `base`.
YamlNode difference(const YamlNode& map, const YamlNode& base) {
  YamlNode left = map_node();
  for (std::size_t i = 0; i + 1 < map.items.size(); i += 2) {
    const std::string& key = map.items[i].scalar;
    const YamlNode& value = map.items[i + 1];
    const YamlNode* usual = member_of(base, key);
    if (value.kind == YamlNode::Kind::null || (usual != nullptr && is_same(value, *usual))) continue;
    const bool is_deeper = usual != nullptr && value.kind == YamlNode::Kind::map;
    add_member(left, key, is_deeper ? difference(value, *usual) : value);
  }
  return left;
}

void remove_member(YamlNode& map, std::string_view key) {
  for (std::size_t i = 0; i + 1 < map.items.size(); i += 2)
    if (map.items[i].scalar == key)
      return void(map.items.erase(map.items.begin() + static_cast<std::ptrdiff_t>(i),
                                  map.items.begin() + static_cast<std::ptrdiff_t>(i) + 2));
}

// Where the port says nothing about TLS, another than it has, so that it is written.
mail::TlsMode usual_mode(const mail::Smarthost& smarthost) {
  using enum mail::TlsMode;
  return default_tls_mode(smarthost.port).value_or(smarthost.tls.mode == none ? implicit : none);
}

// A smarthost whose every value is the default.
mail::Smarthost usual_for(const mail::Smarthost& smarthost) {
  mail::Smarthost usual;
  usual.name = smarthost.direct ? "direct" : smarthost.host;
  usual.direct = smarthost.direct;
  usual.auth = !smarthost.direct;
  usual.tls.verify = !smarthost.lookup_mx && !smarthost.direct;
  usual.tls.mode = smarthost.direct ? mail::TlsMode::opportunistic : usual_mode(smarthost);
  const bool is_named = usual.tls.mode != smarthost.tls.mode && !smarthost.direct;
  usual.port = default_port(is_named ? smarthost.tls.mode : mail::TlsMode::opportunistic);
  return usual;
}

// `from` is short for two keys of `rewrite`.
void shorten_rewrite(const mail::Rewriting& rules, YamlNode& map) {
  if (rules.envelope_from.empty() || rules.envelope_from != rules.header_from) return;
  YamlNode rewrite = *member_of(map, "rewrite");
  remove_member(map, "rewrite");
  remove_member(rewrite, "envelope_from");
  remove_member(rewrite, "header_from");
  add_member(map, "from", to_node(rules.envelope_from));
  if (!rewrite.items.empty()) add_member(map, "rewrite", rewrite);
}

YamlNode entry_of(const mail::Smarthost& smarthost) {
  YamlNode map = difference(show_smarthost(smarthost), show_smarthost(usual_for(smarthost)));
  if (smarthost.direct) {
    remove_member(map, "url");
    add_member(map, "url", to_node(std::string_view("mx:")));
  }
  shorten_rewrite(smarthost.rewrite, map);
  return map;
}

std::string url_for(const mail::Smarthost& smarthost) {
  const auto mode = smarthost.tls.mode;
  const std::string_view scheme = mode == mail::TlsMode::implicit   ? "smtps://"
                                  : mode == mail::TlsMode::starttls ? "submission://"
                                                                    : "smtp://";
  const bool is_v6 = smarthost.host.contains(':');
  return cat(scheme, is_v6 ? "[" : "", smarthost.host, is_v6 ? "]" : "",
             smarthost.port == default_port(mode) ? "" : cat(":", std::to_string(smarthost.port)));
}

// Whether a URL says all of it.
bool fits_url(const mail::Smarthost& smarthost, const YamlNode& entry) {
  if (smarthost.direct) return entry.items.size() == 2;
  if (smarthost.tls.mode == mail::TlsMode::none) return false;
  static constexpr std::string_view kInUrl[] = {"host", "port", "tls"};
  for (std::size_t i = 0; i < entry.items.size(); i += 2)
    if (std::ranges::find(kInUrl, entry.items[i].scalar) == std::end(kInUrl)) return false;
  return true;
}

std::string smarthosts_text(const std::vector<mail::Smarthost>& smarthosts) {
  const YamlNode first = entry_of(smarthosts.front());
  if (smarthosts.size() == 1 && fits_url(smarthosts.front(), first)) {
    return cat("smarthost: ", smarthosts.front().direct ? "\"mx:\"" : url_for(smarthosts.front()), "\n");
  }
  std::string text = "smarthosts:\n";
  for (const mail::Smarthost& smarthost : smarthosts) {
    const YamlNode entry = entry_of(smarthost);
    for (std::size_t i = 0; i < entry.items.size(); i += 2)
      text += cat(i == 0 ? "  - " : "    ", entry.items[i].scalar, ": ", to_flow(entry.items[i + 1]), "\n");
  }
  return text;
}

// A list of one is its element.
YamlNode without_brackets(const YamlNode& node) {
  return node.kind == YamlNode::Kind::sequence && node.items.size() == 1 ? node.items.front() : node;
}

// `from` and `to` only where they choose, and no list where a word is enough.
std::string routes_text(const YamlNode& routes) {
  std::string text = "routes:\n";
  for (const YamlNode& route : routes.items) {
    YamlNode row = map_node();
    for (std::size_t i = 0; i < route.items.size(); i += 2) {
      YamlNode value = route.items[i + 1];
      const bool is_via = route.items[i].scalar == "via";
      if (is_via) std::ranges::transform(value.items, value.items.begin(), without_brackets);
      if (!is_via) value = without_brackets(value);
      if (is_via || value.scalar != "*") add_member(row, route.items[i].scalar, std::move(value));
    }
    text += cat("  - ", to_flow(row), "\n");
  }
  return text;
}

Settings usual_settings() { return *load_text("smarthost: 'mx:'", "", {}); }

}  // namespace

std::string minimal_yaml(const Settings& settings) {
  auto shown = [](const Settings& each) {
    return show_map(document_schema(), Document{each, {}, {}, {}, {}});
  };
  YamlNode map = difference(shown(settings), shown(usual_settings()));
  remove_member(map, "smarthosts");
  std::string text = settings.smarthosts.empty() ? "" : smarthosts_text(settings.smarthosts);
  for (std::size_t i = 0; i < map.items.size(); i += 2) {
    const std::string& key = map.items[i].scalar;
    const YamlNode& value = map.items[i + 1];
    text += key == "routes" ? routes_text(value) : cat(key, ": ", to_flow(value), "\n");
  }
  return text;
}

}  // namespace hikyaku::config
