// SPDX-License-Identifier: MIT
// The directories of a simulated disk: what the running system sees, and what a power cut would leave of it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/disk/sim_sectors.h"

namespace hikyaku::test {

// A file or a directory. A file lives on while it is open, as an inode does.
struct SimNode {
  using Entries = std::map<std::string, std::shared_ptr<SimNode>, std::less<>>;
  // One operation: names and what they now stand for (null: nothing).
  using Change = std::vector<std::pair<std::string, std::shared_ptr<SimNode>>>;

  bool is_directory = false;
  bool is_nameless = false;  // unlinked, or replaced by another
  SimSectors content;        // of a file
  Entries entries;           // of a directory, as seen
  Entries durable;           // as of its last sync
  std::vector<Change> unsynced;

  void change(Change change);
  void sync();
};

// The node at `path`, or null. "" is the root.
std::shared_ptr<SimNode> find_node(const std::shared_ptr<SimNode>& root, std::string_view path);
std::string_view parent_of(std::string_view path);
std::string_view name_of(std::string_view path);

// A copy as after a cut. `directories` decides how many of a directory's un-synced changes are applied: none,
// all, or up to some point.
std::shared_ptr<SimNode> after_cut(const SimNode& node, Dice& dice, Fate data, Fate directories,
                                   const StaleSectors& stale);
// A copy in which everything is as dirty as it was: the system lives on, the process does not.
std::shared_ptr<SimNode> after_kill(const SimNode& node);
std::uint64_t bytes_in(const SimNode& node);

}  // namespace hikyaku::test
