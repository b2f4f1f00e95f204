// SPDX-License-Identifier: MIT
#include "tests/support/sim_disk.h"

#include <algorithm>
#include <array>
#include <deque>
#include <limits>
#include <mutex>
#include <optional>
#include <set>

#include "daemon/base/check.h"
#include "daemon/base/text.h"
#include "tests/support/sim_tree.h"

namespace hikyaku::test {

using spool::DiskError;

namespace {

constexpr std::size_t kLogLines = 300;
constexpr std::size_t kStaleSectors = 4096;

constexpr std::array<std::string_view, 9> kStepNames = {"create",   "write",          "flush",
                                                        "truncate", "allocate",       "rename",
                                                        "unlink",   "make_directory", "sync_directory"};

struct Failure {
  DiskStep kind;
  std::uint64_t after;  // steps of this kind that still succeed
  std::uint64_t times;
  std::errc error;
};

std::unexpected<DiskError> failure(std::errc error, std::string_view what) {
  return fail(error, cat(what, ": ", os_error_text(static_cast<int>(error))));
}

bool is_sync(DiskStep kind) { return kind == DiskStep::flush || kind == DiskStep::sync_directory; }

std::unexpected<DiskError> off() { return failure(std::errc::no_such_device, "the power is off"); }

}  // namespace

struct SimDisk::State {
  std::mutex mutex;
  std::shared_ptr<SimNode> root = std::make_shared<SimNode>();
  StaleSectors stale;
  std::deque<std::string> lines;
  std::vector<Failure> failures;
  std::set<std::string, std::less<>> locks;
  std::optional<Dice> short_writes;
  Dice dice{1};
  std::uint64_t capacity = std::uint64_t{1} << 40U;
  std::uint64_t free_inodes = 1'000'000;
  std::uint64_t steps = 0;
  std::uint64_t flushes = 0;
  std::uint64_t cut_at = 0;
  bool is_off = false;
  bool is_read_only = false;

  State() { root->is_directory = true; }

  // Runs `apply` as one step: counted, logged, perhaps failed, perhaps the last one.
  template <class Apply>
  Result<void, DiskError> step(DiskStep kind, std::string_view what, Apply apply) {
    if (is_off) return off();
    ++steps;
    is_off = steps == cut_at;
    note(kind, what);
    if (is_off && is_sync(kind)) return off();
    if (auto error = injected(kind)) return failure(*error, what);
    Result<void, DiskError> done = apply();
    if (is_off) return off();
    return done;
  }

  void note(DiskStep kind, std::string_view what) {
    lines.push_back(cat(std::to_string(steps), " ", kStepNames[static_cast<std::size_t>(kind)], " ", what,
                        is_off ? "   <- power cut" : ""));
    if (lines.size() > kLogLines) lines.pop_front();
  }

  std::optional<std::errc> injected(DiskStep kind) {
    if (is_read_only && !is_sync(kind)) return std::errc::read_only_file_system;
    for (Failure& planned : failures) {
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

  std::uint64_t free_bytes() const {
    std::uint64_t used = bytes_in(*root);
    return used < capacity ? capacity - used : 0;
  }

  // How much of `wanted` a write takes now.
  std::uint64_t writable(const SimNode& file, std::uint64_t wanted, std::uint64_t offset) {
    std::uint64_t room = file.content.size() + free_bytes();
    std::uint64_t taken = std::min(wanted, room > offset ? room - offset : 0);
    return short_writes && taken > 1 ? 1 + short_writes->below(taken) : taken;
  }

  void keep_stale(const SimNode& file) {
    const std::string& bytes = file.content.bytes();
    for (std::size_t i = 0; i + kSector <= bytes.size() && stale.size() < kStaleSectors; i += kSector)
      if (auto sector = std::string_view(bytes).substr(i, kSector);
          sector.find_first_not_of('\0') != sector.npos)
        stale.emplace_back(sector);
  }

  std::shared_ptr<SimNode> find(std::string_view path, bool is_directory) const {
    auto node = find_node(root, path);
    return node && node->is_directory == is_directory ? node : nullptr;
  }

  Result<void, DiskError> make(std::string_view path, std::shared_ptr<SimNode> node) {
    auto parent = find(parent_of(path), true);
    if (!parent) return failure(std::errc::no_such_file_or_directory, path);
    if (find_node(root, path)) return failure(std::errc::file_exists, path);
    parent->change({{std::string(name_of(path)), std::move(node)}});
    return {};
  }
};

namespace {

using State = SimDisk::State;

class SimFile final : public spool::DiskFile {
 public:
  SimFile(std::shared_ptr<State> state, std::shared_ptr<SimNode> node, std::string path, bool is_writable)
      : state_(std::move(state)), node_(std::move(node)), path_(std::move(path)), is_writable_(is_writable) {}

  Result<std::size_t, DiskError> read(std::span<char> into, std::uint64_t offset) override {
    std::scoped_lock lock(state_->mutex);
    if (state_->is_off) return off();
    return node_->content.read(into, offset);
  }

  Result<std::size_t, DiskError> write_some(std::span<const std::string_view> pieces,
                                            std::uint64_t offset) override {
    std::string bytes;
    for (std::string_view piece : pieces) bytes += piece;
    std::size_t taken = 0;
    std::scoped_lock lock(state_->mutex);
    auto done = changes(DiskStep::write, place(bytes.size(), offset), [&]() -> Result<void, DiskError> {
      taken = state_->writable(*node_, bytes.size(), offset);
      if (taken == 0 && !bytes.empty()) return failure(std::errc::no_space_on_device, path_);
      node_->content.write(std::string_view(bytes).substr(0, taken), offset);
      return {};
    });
    if (!done) return std::unexpected(done.error());
    return taken;
  }

  Result<void, DiskError> flush() override {
    std::scoped_lock lock(state_->mutex);
    bool applied = false;
    auto done =
        state_->step(DiskStep::flush, path_, [&] { return applied = true, Result<void, DiskError>(); });
    if (applied) node_->content.flush();
    if (applied) ++state_->flushes;
    if (!applied && !state_->is_off) node_->content.fail_flush(state_->dice);
    return done;
  }

  Result<std::uint64_t, DiskError> size() override {
    std::scoped_lock lock(state_->mutex);
    if (state_->is_off) return off();
    return node_->content.size();
  }

  Result<void, DiskError> truncate(std::uint64_t size) override {
    std::scoped_lock lock(state_->mutex);
    return changes(DiskStep::truncate, place(size, 0), [&] {
      node_->content.resize(size);
      return Result<void, DiskError>();
    });
  }

  Result<void, DiskError> allocate(std::uint64_t size) override {
    std::scoped_lock lock(state_->mutex);
    return changes(DiskStep::allocate, place(size, 0), [&]() -> Result<void, DiskError> {
      if (size > node_->content.size() + state_->free_bytes())
        return failure(std::errc::no_space_on_device, path_);
      node_->content.resize(std::max(size, node_->content.size()));
      return {};
    });
  }

  Result<void, DiskError> close() override {
    std::scoped_lock lock(state_->mutex);
    if (state_->is_off) return off();
    return {};
  }

 private:
  template <class Apply>
  Result<void, DiskError> changes(DiskStep kind, const std::string& what, Apply apply) {
    if (!is_writable_) return failure(std::errc::bad_file_descriptor, path_);
    return state_->step(kind, what, apply);
  }

  std::string place(std::uint64_t size, std::uint64_t offset) const {
    return cat(path_, " ", std::to_string(size), " bytes at ", std::to_string(offset));
  }

  std::shared_ptr<State> state_;
  std::shared_ptr<SimNode> node_;
  std::string path_;
  bool is_writable_;
};

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
  if (state->is_off) return off();
  auto node = state->find(path, false);
  if (!node) return failure(std::errc::no_such_file_or_directory, path);
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
  auto state = std::make_shared<State>();
  state->root = test::after_kill(*state_->root);
  state->stale = state_->stale;
  return std::unique_ptr<SimDisk>(new SimDisk(std::move(state)));
}

void SimDisk::cut_power_at(std::uint64_t step) {
  std::scoped_lock lock(state_->mutex);
  state_->cut_at = step;
}

bool SimDisk::is_off() const {
  std::scoped_lock lock(state_->mutex);
  return state_->is_off;
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
  if (state_->is_off) return off();
  auto node = state_->find(directory, true);
  if (!node) return failure(std::errc::no_such_file_or_directory, directory);
  std::vector<std::string> names;
  for (const auto& [name, child] : node->entries) names.push_back(name);
  return names;
}

Result<void, DiskError> SimDisk::rename(std::string_view from, std::string_view to) {
  std::scoped_lock lock(state_->mutex);
  if (parent_of(from) != parent_of(to)) return failure(std::errc::cross_device_link, from);
  return state_->step(DiskStep::rename, cat(from, " to ", to), [&]() -> Result<void, DiskError> {
    auto node = find_node(state_->root, from);
    if (!node) return failure(std::errc::no_such_file_or_directory, from);
    if (auto replaced = state_->find(to, false)) state_->keep_stale(*replaced);
    auto parent = find_node(state_->root, parent_of(from));
    parent->change({{std::string(name_of(from)), nullptr}, {std::string(name_of(to)), node}});
    return {};
  });
}

Result<void, DiskError> SimDisk::unlink(std::string_view path) {
  std::scoped_lock lock(state_->mutex);
  return state_->step(DiskStep::unlink, path, [&]() -> Result<void, DiskError> {
    auto node = state_->find(path, false);
    if (!node) return failure(std::errc::no_such_file_or_directory, path);
    state_->keep_stale(*node);
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
    if (!node) return failure(std::errc::no_such_file_or_directory, path);
    node->sync();
    return {};
  });
}

Result<spool::DiskSpace, DiskError> SimDisk::space() {
  std::scoped_lock lock(state_->mutex);
  if (state_->is_off) return off();
  return spool::DiskSpace{state_->free_bytes(), state_->capacity, state_->free_inodes};
}

Result<std::unique_ptr<spool::DiskLock>, DiskError> SimDisk::lock(std::string_view path) {
  std::scoped_lock lock(state_->mutex);
  if (state_->is_off) return off();
  if (!state_->find(parent_of(path), true)) return failure(std::errc::no_such_file_or_directory, path);
  if (!state_->locks.emplace(path).second) return failure(std::errc::resource_unavailable_try_again, path);
  return std::make_unique<SimLock>(state_, std::string(path));
}

}  // namespace hikyaku::test
