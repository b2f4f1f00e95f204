// SPDX-License-Identifier: MIT
#include "tests/support/disk/sim_state.h"

#include <algorithm>
#include <array>

#include "daemon/base/text.h"

namespace hikyaku::test {

using spool::DiskError;

namespace {

constexpr std::size_t kLogLines = 300;
constexpr std::size_t kStaleSectors = 300;

constexpr std::array<std::string_view, 10> kStepNames = {
    "create", "write",  "flush",          "truncate",       "allocate",
    "rename", "unlink", "make_directory", "sync_directory", "read"};

bool is_sync(DiskStep kind) { return kind == DiskStep::flush || kind == DiskStep::sync_directory; }

}  // namespace

std::unexpected<DiskError> sim_failure(std::errc error, std::string_view what) {
  return fail(error, cat(what, ": ", os_error_text(static_cast<int>(error))));
}

std::unexpected<DiskError> power_is_off() {
  return sim_failure(std::errc::no_such_device, "the power is off");
}

Result<void, DiskError> SimDisk::State::step(DiskStep kind, std::string_view what,
                                             const std::function<Result<void, DiskError>()>& apply) {
  if (is_off) return power_is_off();
  ++steps;
  is_off = steps == cut_at;
  note(kind, what);
  if (is_sync(kind)) photograph();
  if (is_off && is_sync(kind)) return power_is_off();
  Result<void, DiskError> done = attempt(kind, what, apply);
  if (!is_sync(kind)) photograph();
  if (is_off) return power_is_off();
  return done;
}

Result<void, DiskError> SimDisk::State::attempt(DiskStep kind, std::string_view what,
                                                const std::function<Result<void, DiskError>()>& apply) {
  if (auto error = injected(kind)) return sim_failure(*error, what);
  return apply();
}

void SimDisk::State::photograph() {
  if (photo_steps.erase(steps) == 0) return;
  auto photo = copy();
  photo->is_off = true;
  take_photo(steps, std::unique_ptr<SimDisk>(new SimDisk(std::move(photo))));
}

std::shared_ptr<SimDisk::State> SimDisk::State::copy() const {
  auto state = std::make_shared<State>();
  static_cast<SimConditions&>(*state) = *this;
  state->root = test::after_kill(*root);
  return state;
}

void SimDisk::State::note(DiskStep kind, std::string_view what) {
  lines.push_back(cat(std::to_string(steps), " ", kStepNames[static_cast<std::size_t>(kind)], " ", what,
                      is_off ? "   <- power cut" : ""));
  if (lines.size() > kLogLines) lines.pop_front();
}

std::optional<std::errc> SimDisk::State::injected(DiskStep kind) {
  if (is_read_only && !is_sync(kind) && kind != DiskStep::read) return std::errc::read_only_file_system;
  for (PlannedFailure& planned : failures) {
    if (planned.kind != kind || planned.times == 0) continue;
    if (planned.after > 0) {
      --planned.after;
    } else {
      --planned.times;
      lines.push_back("  the step above fails");
      return planned.error;
    }
  }
  return {};
}

std::uint64_t SimDisk::State::free_bytes() const {
  std::uint64_t used = bytes_in(*root) + foreign_bytes;
  return used < capacity ? capacity - used : 0;
}

std::uint64_t SimDisk::State::writable(const SimNode& file, std::uint64_t wanted, std::uint64_t offset) {
  std::uint64_t room = file.content.size() + free_bytes();
  std::uint64_t taken = std::min(wanted, room > offset ? room - offset : 0);
  return short_writes ? shortened(offset, taken) : taken;
}

// Ends at a sector's end: the kernel copies a page under its lock, so no part of a sector is ever written
// alone.
std::uint64_t SimDisk::State::shortened(std::uint64_t offset, std::uint64_t bytes) {
  std::uint64_t end = offset + 1 + short_writes->below(bytes);
  end = (end + kSector - 1) / kSector * kSector;
  return std::min(bytes, end - offset);
}

void SimDisk::State::forget(SimNode& node) {
  for (auto& [name, child] : node.entries) forget(*child);
  if (!node.is_directory) keep_stale(node);
  node.is_nameless = true;
  ++free_inodes;
}

void SimDisk::State::keep_stale(const SimNode& file) {
  static const std::string zeros(kSector, '\0');
  if (stale.size() >= kStaleSectors) return;
  const std::string bytes = file.content.bytes();
  for (std::size_t i = 0; i + kSector <= bytes.size() && stale.size() < kStaleSectors; i += kSector)
    if (auto sector = std::string_view(bytes).substr(i, kSector); sector != zeros) stale.emplace_back(sector);
}

std::shared_ptr<SimNode> SimDisk::State::find(std::string_view path, bool is_directory) const {
  auto node = find_node(root, path);
  return node && node->is_directory == is_directory ? node : nullptr;
}

Result<void, DiskError> SimDisk::State::make(std::string_view path, std::shared_ptr<SimNode> node) {
  auto parent = find(parent_of(path), true);
  if (!parent) return sim_failure(std::errc::no_such_file_or_directory, path);
  if (find_node(root, path)) return sim_failure(std::errc::file_exists, path);
  if (free_inodes == 0) return sim_failure(std::errc::no_space_on_device, path);
  --free_inodes;
  parent->change({{std::string(name_of(path)), std::move(node)}});
  return {};
}

}  // namespace hikyaku::test
