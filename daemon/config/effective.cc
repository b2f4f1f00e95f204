// SPDX-License-Identifier: MIT
#include "daemon/config/effective.h"

#include <algorithm>
#include <map>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/presets.h"
#include "daemon/config/settings_schema.h"
#include "daemon/config/smarthost_draft.h"
#include "daemon/config/yaml_text.h"

namespace hikyaku::config {
namespace {

using Kind = EffectiveValue::Kind;

constexpr std::string_view kDefaultOrigin = "default";
constexpr std::string_view kMasked = "********";

std::string element_path(std::string_view list, std::size_t index) {
  return cat(list, "[", std::to_string(index), "]");
}

// Keys that say what others are.
struct ShortKey {
  std::string_view others_end;
  std::string_view key;
};
constexpr ShortKey kShortKeys[] = {{".host", ".url"},
                                   {".port", ".url"},
                                   {".tls", ".url"},
                                   {".rewrite.envelope_from", ".from"},
                                   {".rewrite.header_from", ".from"}};

std::string short_path(const std::string& path, const ShortKey& other) {
  if (!path.ends_with(other.others_end)) return {};
  return cat(path.substr(0, path.size() - other.others_end.size()), other.key);
}

// Where the file says what. One `smarthost`, and `from` beside it, count as they would stand in `smarthosts`.
class FilePlaces {
 public:
  explicit FilePlaces(const YamlNode& root) {
    note_members(root, "");
    const YamlNode* only = member_of(root, "smarthost");
    if (only == nullptr) return;
    note_smarthost(*only, element_path("smarthosts", 0));
    if (const YamlNode* from = member_of(root, "from")) lines_["smarthosts[0].from"] = from->place.line;
  }

  std::optional<unsigned> line_of(const std::string& path) const {
    auto found = lines_.find(path);
    for (const ShortKey& other : kShortKeys)
      if (found == lines_.end()) found = lines_.find(short_path(path, other));
    return found == lines_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  void note_members(const YamlNode& map, const std::string& path) {
    if (map.kind != YamlNode::Kind::map) return;
    for (std::size_t i = 0; i + 1 < map.items.size(); i += 2) {
      const std::string inner = cat(path, path.empty() ? "" : ".", map.items[i].scalar);
      lines_[inner] = map.items[i].place.line;
      note(map.items[i + 1], inner);
    }
  }

  void note(const YamlNode& node, const std::string& path) {
    note_members(node, path);
    if (node.kind != YamlNode::Kind::sequence) return;
    for (std::size_t i = 0; i < node.items.size(); ++i) note_smarthost(node.items[i], element_path(path, i));
  }

  // A smarthost may be its URL, or the name of its provider, alone.
  void note_smarthost(const YamlNode& node, const std::string& path) {
    const bool is_alone = node.kind == YamlNode::Kind::scalar;
    if (is_alone) lines_[cat(path, may_be_preset_name(node.scalar) ? ".preset" : ".url")] = node.place.line;
    note(node, path);
  }

  std::map<std::string, unsigned> lines_;
};

// What a smarthost's preset says; the paths are those of the values.
std::map<std::string, std::string> preset_origins(const std::vector<mail::Smarthost>& smarthosts) {
  std::map<std::string, std::string> origins;
  for (std::size_t i = 0; i < smarthosts.size(); ++i) {
    const Preset* preset = find_preset(smarthosts[i].preset);
    if (preset == nullptr) continue;
    for (const PresetValue& value : preset_values(*preset, smarthosts[i].user))
      origins[cat(element_path("smarthosts", i), ".", value.key)] = cat("preset ", preset->name);
  }
  return origins;
}

// Where a value comes from; the first that says something counts.
class Origins {
 public:
  Origins(const Settings& settings, const YamlNode& root, const Source& source)
      : source_(source), places_(root), presets_(preset_origins(settings.smarthosts)) {}

  std::string of(const std::string& path) const {
    if (auto line = places_.line_of(path)) return source_.place(*line);
    auto preset = presets_.find(path);
    for (const ShortKey& other : kShortKeys)
      if (preset == presets_.end()) preset = presets_.find(short_path(path, other));
    return preset != presets_.end() ? preset->second : std::string(kDefaultOrigin);
  }

 private:
  const Source& source_;
  FilePlaces places_;
  std::map<std::string, std::string> presets_;
};

class Walk {
 public:
  explicit Walk(const Origins& origins) : origins_(origins) {}

  void visit_members(const YamlNode& map, const std::string& path, unsigned depth) {
    for (std::size_t i = 0; i + 1 < map.items.size(); i += 2) {
      const std::string& key = map.items[i].scalar;
      visit(key, cat(path, path.empty() ? "" : ".", key), map.items[i + 1], depth);
    }
  }
  std::vector<EffectiveValue> take() { return std::move(values_); }

 private:
  static bool holds_maps(const YamlNode& node) {
    auto is_map = [](const YamlNode& item) { return item.kind == YamlNode::Kind::map; };
    return node.kind == YamlNode::Kind::sequence && !node.items.empty() &&
           std::ranges::all_of(node.items, is_map);
  }

  void visit(const std::string& key, const std::string& path, const YamlNode& value, unsigned depth) {
    const bool is_section = value.kind == YamlNode::Kind::map && !value.items.empty();
    if (!is_section && !holds_maps(value)) return add(key, path, value, depth);
    values_.push_back({.kind = Kind::section, .depth = depth, .key = key, .path = path});
    if (is_section) return visit_members(value, path, depth + 1);
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      values_.push_back({.kind = Kind::item, .depth = depth + 1, .path = element_path(path, i)});
      visit_members(value.items[i], element_path(path, i), depth + 2);
    }
  }

  void add(const std::string& key, const std::string& path, const YamlNode& value, unsigned depth) {
    const bool is_set = value.kind != YamlNode::Kind::null;
    values_.push_back({.depth = depth,
                       .key = key,
                       .path = path,
                       .value = is_set ? std::optional(to_flow(value)) : std::nullopt,
                       .origin = origins_.of(path)});
  }

  const Origins& origins_;
  std::vector<EffectiveValue> values_;
};

// The user whom a smarthost knows us by, if authinfo says it, and that there is a password.
void add_credentials(const std::vector<mail::Smarthost>& smarthosts, std::vector<EffectiveValue>& values) {
  for (std::size_t i = 0; i < smarthosts.size(); ++i) {
    const auto& login = smarthosts[i].credentials;
    const std::string path = cat(element_path("smarthosts", i), ".user");
    auto user = std::ranges::find(values, path, &EffectiveValue::path);
    if (!login || user == values.end()) continue;
    if (!user->value) user->value = to_flow(to_node(login->user)), user->origin = login->origin;
    EffectiveValue password = *user;
    password.key = "password";
    password.path = cat(element_path("smarthosts", i), ".password");
    password.value = kMasked;
    password.origin = login->origin;
    password.is_readable = false;
    values.insert(user + 1, std::move(password));
  }
}

// The line without what it says of its origin. The first member of an item stands behind its hyphen.
std::string line_for(const EffectiveValue& value, bool begins_item) {
  std::string indent(2 * std::size_t{value.depth}, ' ');
  if (begins_item) indent.replace(indent.size() - 2, 2, "- ");
  if (value.kind == Kind::section) return cat(indent, value.key, ":");
  if (!value.value) return cat("#", indent, value.key, ":");
  return cat(value.is_readable ? "" : "#", indent, value.key, ": ", *value.value);
}

constexpr std::size_t kOriginColumn = 48;

}  // namespace

std::vector<EffectiveValue> effective_values(const Settings& settings, const Source& source) {
  auto root = read_yaml(source.text, source.name);
  const Origins origins(settings, root ? *root : YamlNode{}, source);
  Walk walk(origins);
  walk.visit_members(show_map(document_schema(), Document{settings, {}, {}, {}, {}}), "", 0);
  auto values = walk.take();
  add_credentials(settings.smarthosts, values);
  return values;
}

std::string to_yaml(const std::vector<EffectiveValue>& values) {
  std::string yaml;
  bool begins_item = false;
  for (const EffectiveValue& value : values) {
    if (value.kind == Kind::item) {
      begins_item = true;
      continue;
    }
    std::string line = line_for(value, begins_item);
    begins_item = false;
    if (value.kind == Kind::value) {
      line.resize(std::max(line.size() + 1, kOriginColumn), ' ');
      line += cat("# ", value.value ? value.origin : "not set");
    }
    yaml += cat(line, "\n");
  }
  return yaml;
}

}  // namespace hikyaku::config
