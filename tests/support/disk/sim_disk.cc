// SPDX-License-Identifier: MIT
#include "tests/support/disk/sim_disk.h"

#include <array>

#include "daemon/base/check.h"
#include "daemon/base/text.h"
#include "tests/support/disk/sim_file.h"
#include "tests/support/disk/sim_state.h"

namespace hikyaku::test {

using spool::DiskError;

namespace {

using State = SimDisk::State;

class SimLock final : public spool::DiskLock {
 public:
  SimLock(std::shared_ptr<State> state, std::string path)
      : state_(std::move(state)), path_(std::move(path)) {}
  ~SimLock() override {
    std::scoped_lock lock(state_->mutex);
    state_->locks.erase(path_);
  }

 private:
  std::shared_ptr<State> state_;
  std::string path_;
};

// The seed's residues go through all pairs.
Fate chosen_fate(std::uint64_t residue, Dice& dice) {
  static constexpr std::array<unsigned, 4> kMixed = {20, 50, 80, 95};
  if (residue == 2) return {kMixed[dice.below(kMixed.size())]};
  return {residue == 0 ? 0U : 100U};
}

Result<std::unique_ptr<spool::DiskFile>, DiskError> open_file(const std::shared_ptr<State>& state,
                                                              std::string_view path, bool is_writable) {
  std::scoped_lock lock(state->mutex);
  if (state->is_off) return power_is_off();
  auto node = state->find(path, false);
  if (!node) return sim_failure(std::errc::no_such_file_or_directory, path);
  return std::make_unique<SimFile>(state, std::move(node), std::string(path), is_writable);
}

}  // namespace

SimDisk::SimDisk() : state_(std::make_shared<State>()) {}
SimDisk::SimDisk(std::shared_ptr<State> state) : state_(std::move(state)) {}
SimDisk::~SimDisk() = default;

std::unique_ptr<SimDisk> SimDisk::after_cut(std::uint64_t seed) const {
  std::scoped_lock lock(state_->mutex);
  Dice dice(seed);
  Fate data = chosen_fate(seed % 3, dice);
  Fate directories = chosen_fate(seed / 3 % 3, dice);
  auto state = std::make_shared<State>();
  state->root = test::after_cut(*state_->root, dice, data, directories, state_->stale);
  state->stale = state_->stale;
  return std::unique_ptr<SimDisk>(new SimDisk(std::move(state)));
}

std::unique_ptr<SimDisk> SimDisk::after_kill() const {
  std::scoped_lock lock(state_->mutex);
  return std::unique_ptr<SimDisk>(new SimDisk(state_->copy()));
}

void SimDisk::cut_power_at(std::uint64_t step) {
  std::scoped_lock lock(state_->mutex);
  state_->cut_at = step;
}

void SimDisk::cut_power() {
  std::scoped_lock lock(state_->mutex);
  state_->is_off = true;
}

bool SimDisk::is_off() const {
  std::scoped_lock lock(state_->mutex);
  return state_->is_off;
}

void SimDisk::photograph_at(std::set<std::uint64_t> steps, Photographer take) {
  std::scoped_lock lock(state_->mutex);
  state_->photo_steps = std::move(steps);
  state_->take_photo = std::move(take);
}

void SimDisk::fail_at(DiskStep kind, std::uint64_t nth, std::errc error, std::uint64_t times) {
  check(nth > 0, "the first step is number 1");
  std::scoped_lock lock(state_->mutex);
  state_->failures.push_back({kind, nth - 1, times, error});
}

void SimDisk::set_capacity(std::uint64_t bytes) {
  std::scoped_lock lock(state_->mutex);
  state_->capacity = bytes;
}

void SimDisk::fill_up(std::uint64_t but_for) {
  std::scoped_lock lock(state_->mutex);
  std::uint64_t free = state_->free_bytes();
  if (free > but_for) state_->foreign_bytes += free - but_for;
}

void SimDisk::set_free_inodes(std::uint64_t count) {
  std::scoped_lock lock(state_->mutex);
  state_->free_inodes = count;
}

void SimDisk::set_read_only(bool read_only) {
  std::scoped_lock lock(state_->mutex);
  state_->is_read_only = read_only;
}

void SimDisk::set_short_writes(std::uint64_t seed) {
  std::scoped_lock lock(state_->mutex);
  state_->short_writes.emplace(seed);
}

void SimDisk::vanish(std::string_view directory) {
  std::scoped_lock lock(state_->mutex);
  auto node = state_->find(directory, true);
  if (!node) return;
  state_->forget(*node);
  auto parent = find_node(state_->root, parent_of(directory));
  parent->change({{std::string(name_of(directory)), nullptr}});
  parent->sync();
}

void SimDisk::heal() {
  std::scoped_lock lock(state_->mutex);
  state_->failures.clear();
  state_->short_writes.reset();
  state_->capacity = kAmpleBytes;
  state_->foreign_bytes = 0;
  state_->free_inodes = kAmpleInodes;
  state_->is_read_only = false;
}

std::uint64_t SimDisk::steps() const {
  std::scoped_lock lock(state_->mutex);
  return state_->steps;
}

std::uint64_t SimDisk::flushes() const {
  std::scoped_lock lock(state_->mutex);
  return state_->flushes;
}

std::string SimDisk::log() const {
  std::scoped_lock lock(state_->mutex);
  return join({state_->lines.begin(), state_->lines.end()}, "\n");
}

std::string SimDisk::content(std::string_view path) const {
  std::scoped_lock lock(state_->mutex);
  auto node = state_->find(path, false);
  check(node != nullptr, "no such simulated file");
  return node->content.bytes();
}

std::uint64_t SimDisk::size(std::string_view path) const {
  std::scoped_lock lock(state_->mutex);
  auto node = state_->find(path, false);
  check(node != nullptr, "no such simulated file");
  return node->content.size();
}

void SimDisk::corrupt(std::string_view path, std::uint64_t offset, std::string_view bytes) {
  std::scoped_lock lock(state_->mutex);
  auto node = state_->find(path, false);
  check(node != nullptr && offset + bytes.size() <= node->content.size(),
        "no such place on the simulated disk");
  node->content.write(bytes, offset);
  node->content.flush();
}

Result<std::unique_ptr<spool::DiskFile>, DiskError> SimDisk::create(std::string_view path) {
  std::scoped_lock lock(state_->mutex);
  auto node = std::make_shared<SimNode>();
  auto done = state_->step(DiskStep::create, path, [&] { return state_->make(path, node); });
  if (!done) return std::unexpected(done.error());
  return std::make_unique<SimFile>(state_, std::move(node), std::string(path), true);
}

Result<std::unique_ptr<spool::DiskFile>, DiskError> SimDisk::open_for_reading(std::string_view path) {
  return open_file(state_, path, false);
}

Result<std::unique_ptr<spool::DiskFile>, DiskError> SimDisk::open_for_writing(std::string_view path) {
  return open_file(state_, path, true);
}

Result<std::vector<std::string>, DiskError> SimDisk::list(std::string_view directory) {
  std::scoped_lock lock(state_->mutex);
  if (state_->is_off) return power_is_off();
  auto node = state_->find(directory, true);
  if (!node) return sim_failure(std::errc::no_such_file_or_directory, directory);
  std::vector<std::string> names;
  for (const auto& [name, child] : node->entries) names.push_back(name);
  return names;
}

Result<void, DiskError> SimDisk::rename(std::string_view from, std::string_view to) {
  std::scoped_lock lock(state_->mutex);
  if (parent_of(from) != parent_of(to)) return sim_failure(std::errc::cross_device_link, from);
  return state_->step(DiskStep::rename, cat(from, " to ", to), [&]() -> Result<void, DiskError> {
    auto node = find_node(state_->root, from);
    if (!node) return sim_failure(std::errc::no_such_file_or_directory, from);
    if (auto replaced = state_->find(to, false)) state_->forget(*replaced);
    auto parent = find_node(state_->root, parent_of(from));
    parent->change({{std::string(name_of(from)), nullptr}, {std::string(name_of(to)), node}});
    return {};
  });
}

Result<void, DiskError> SimDisk::unlink(std::string_view path) {
  std::scoped_lock lock(state_->mutex);
  return state_->step(DiskStep::unlink, path, [&]() -> Result<void, DiskError> {
    auto node = state_->find(path, false);
    if (!node) return sim_failure(std::errc::no_such_file_or_directory, path);
    state_->forget(*node);
    find_node(state_->root, parent_of(path))->change({{std::string(name_of(path)), nullptr}});
    return {};
  });
}

Result<void, DiskError> SimDisk::make_directory(std::string_view path) {
  std::scoped_lock lock(state_->mutex);
  auto node = std::make_shared<SimNode>();
  node->is_directory = true;
  return state_->step(DiskStep::make_directory, path, [&] { return state_->make(path, node); });
}

Result<void, DiskError> SimDisk::sync_directory(std::string_view path) {
  std::scoped_lock lock(state_->mutex);
  return state_->step(DiskStep::sync_directory, path, [&]() -> Result<void, DiskError> {
    auto node = state_->find(path, true);
    if (!node) return sim_failure(std::errc::no_such_file_or_directory, path);
    node->sync();
    return {};
  });
}

Result<spool::DiskSpace, DiskError> SimDisk::space() {
  std::scoped_lock lock(state_->mutex);
  if (state_->is_off) return power_is_off();
  return spool::DiskSpace{state_->free_bytes(), state_->capacity, state_->free_inodes};
}

Result<std::unique_ptr<spool::DiskLock>, DiskError> SimDisk::lock(std::string_view path) {
  std::scoped_lock lock(state_->mutex);
  if (state_->is_off) return power_is_off();
  if (!state_->find(parent_of(path), true)) return sim_failure(std::errc::no_such_file_or_directory, path);
  if (!state_->locks.emplace(path).second)
    return sim_failure(std::errc::resource_unavailable_try_again, path);
  return std::make_unique<SimLock>(state_, std::string(path));
}

}  // namespace hikyaku::test
