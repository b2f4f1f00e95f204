// SPDX-License-Identifier: MIT
// What a simulated disk and its open files share: the tree, the power, the planned failures. Its lock is held
// by whoever calls.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/disk/sim_disk.h"
#include "tests/support/disk/sim_tree.h"

namespace hikyaku::test {

inline constexpr std::uint64_t kAmpleBytes = std::uint64_t{1} << 40U;
inline constexpr std::uint64_t kAmpleInodes = 1'000'000;

struct PlannedFailure {
  DiskStep kind;
  std::uint64_t after;  // steps of this kind that still succeed
  std::uint64_t times;
  std::errc error;
};

// What outlives the process that uses the disk.
struct SimConditions {
  StaleSectors stale;
  std::deque<std::string> lines;
  std::vector<PlannedFailure> failures;
  std::optional<Dice> short_writes;
  Dice dice{1};
  std::uint64_t capacity = kAmpleBytes;
  std::uint64_t foreign_bytes = 0;  // taken by others
  std::uint64_t free_inodes = kAmpleInodes;
  std::uint64_t steps = 0;
  std::uint64_t flushes = 0;
  std::uint64_t cut_at = 0;
  bool is_off = false;
  bool is_read_only = false;
  std::set<std::uint64_t> photo_steps;
  SimDisk::Photographer take_photo;
};

struct SimDisk::State : SimConditions {
  std::mutex mutex;
  std::shared_ptr<SimNode> root = std::make_shared<SimNode>();
  std::set<std::string, std::less<>> locks;

  State() { root->is_directory = true; }

  // Runs `apply` as one step: counted, logged, perhaps failed, perhaps the last one.
  Result<void, spool::DiskError> step(DiskStep kind, std::string_view what,
                                      const std::function<Result<void, spool::DiskError>()>& apply);
  std::uint64_t free_bytes() const;
  // How much of `wanted` bytes a write takes now.
  std::uint64_t writable(const SimNode& file, std::uint64_t wanted, std::uint64_t offset);
  std::shared_ptr<SimNode> find(std::string_view path, bool is_directory) const;
  Result<void, spool::DiskError> make(std::string_view path, std::shared_ptr<SimNode> node);
  // The name is gone: its blocks are free for others, its inode too.
  void forget(SimNode& node);
  // The failure that is planned for an operation of this kind.
  std::optional<std::errc> injected(DiskStep kind);
  // What another process would find, dirty as it is.
  std::shared_ptr<State> copy() const;

 private:
  Result<void, spool::DiskError> attempt(DiskStep kind, std::string_view what,
                                         const std::function<Result<void, spool::DiskError>()>& apply);
  void photograph();
  void note(DiskStep kind, std::string_view what);
  std::uint64_t shortened(std::uint64_t offset, std::uint64_t bytes);
  // New blocks may show what the file held.
  void keep_stale(const SimNode& file);
};

std::unexpected<spool::DiskError> sim_failure(std::errc error, std::string_view what);
std::unexpected<spool::DiskError> power_is_off();

}  // namespace hikyaku::test
