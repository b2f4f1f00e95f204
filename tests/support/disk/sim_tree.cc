// SPDX-License-Identifier: MIT
#include "tests/support/disk/sim_tree.h"

namespace hikyaku::test {
namespace {

void apply_change(const SimNode::Change& change, SimNode::Entries& entries) {
  for (const auto& [name, node] : change) {
    if (node)
      entries[name] = node;
    else
      entries.erase(name);
  }
}

std::size_t applied_changes(std::size_t unsynced, Dice& dice, Fate fate) {
  if (fate.kept == 0) return 0;
  return fate.kept == 100 ? unsynced : dice.below(unsynced + 1);
}

std::shared_ptr<SimNode> directory_with(SimNode::Entries entries) {
  auto directory = std::make_shared<SimNode>();
  directory->is_directory = true;
  directory->entries = entries;
  directory->durable = std::move(entries);
  return directory;
}

using Copies = std::map<const SimNode*, std::shared_ptr<SimNode>>;

std::shared_ptr<SimNode> copy(const SimNode& node, Copies& copies);

void copy_entries(SimNode::Entries& entries, Copies& copies) {
  for (auto& [name, child] : entries) child = copy(*child, copies);
}

// One copy for each node, however many entries and changes name it.
std::shared_ptr<SimNode> copy(const SimNode& node, Copies& copies) {
  auto& known = copies[&node];
  if (known) return known;
  auto made = known = std::make_shared<SimNode>(node);
  copy_entries(made->entries, copies);
  copy_entries(made->durable, copies);
  for (SimNode::Change& change : made->unsynced)
    for (auto& [name, child] : change)
      if (child) child = copy(*child, copies);
  return made;
}

}  // namespace

void SimNode::change(Change change) {
  apply_change(change, entries);
  unsynced.push_back(std::move(change));
}

void SimNode::sync() {
  durable = entries;
  unsynced.clear();
}

std::shared_ptr<SimNode> find_node(const std::shared_ptr<SimNode>& root, std::string_view path) {
  if (path.empty()) return root;
  auto parent = find_node(root, parent_of(path));
  if (!parent || !parent->is_directory) return nullptr;
  auto entry = parent->entries.find(name_of(path));
  return entry == parent->entries.end() ? nullptr : entry->second;
}

std::string_view parent_of(std::string_view path) {
  auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::shared_ptr<SimNode> after_cut(const SimNode& node, Dice& dice, Fate data, Fate directories,
                                   const StaleSectors& stale) {
  if (!node.is_directory) {
    auto file = std::make_shared<SimNode>();
    file->content = node.content.after_cut(dice, data, stale);
    return file;
  }
  SimNode::Entries left = node.durable;
  std::size_t applied = applied_changes(node.unsynced.size(), dice, directories);
  for (std::size_t i = 0; i < applied; ++i) apply_change(node.unsynced[i], left);
  for (auto& [name, child] : left) child = after_cut(*child, dice, data, directories, stale);
  return directory_with(std::move(left));
}

std::shared_ptr<SimNode> after_kill(const SimNode& node) {
  Copies copies;
  return copy(node, copies);
}

std::uint64_t bytes_in(const SimNode& node) {
  std::uint64_t bytes = node.content.size();
  for (const auto& [name, child] : node.entries) bytes += bytes_in(*child);
  return bytes;
}

}  // namespace hikyaku::test
