// SPDX-License-Identifier: MIT
#include "tests/support/disk/sim_file.h"

#include <algorithm>

#include "daemon/base/text.h"

namespace hikyaku::test {

using spool::DiskError;

SimFile::SimFile(std::shared_ptr<SimDisk::State> state, std::shared_ptr<SimNode> node, std::string path,
                 bool is_writable)
    : state_(std::move(state)), node_(std::move(node)), path_(std::move(path)), is_writable_(is_writable) {}

Result<std::size_t, DiskError> SimFile::read(std::span<char> into, std::uint64_t offset) {
  std::scoped_lock lock(state_->mutex);
  if (state_->is_off) return power_is_off();
  if (auto error = state_->injected(DiskStep::read)) return sim_failure(*error, path_);
  return node_->content.read(into, offset);
}

Result<std::size_t, DiskError> SimFile::write_some(std::span<const std::string_view> pieces,
                                                   std::uint64_t offset) {
  std::string bytes;
  for (std::string_view piece : pieces) bytes += piece;
  std::size_t taken = 0;
  std::scoped_lock lock(state_->mutex);
  auto done = changes(DiskStep::write, place(bytes.size(), offset), [&]() -> Result<void, DiskError> {
    taken = state_->writable(*node_, bytes.size(), offset);
    if (taken == 0 && !bytes.empty()) return sim_failure(std::errc::no_space_on_device, path_);
    node_->content.write(std::string_view(bytes).substr(0, taken), offset);
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return taken;
}

Result<void, DiskError> SimFile::flush() {
  std::scoped_lock lock(state_->mutex);
  bool applied = false;
  auto done = state_->step(DiskStep::flush, path_, [&]() -> Result<void, DiskError> {
    if (node_->is_nameless) return sim_failure(std::errc::no_such_file_or_directory, path_);
    applied = true;
    return {};
  });
  if (applied) node_->content.flush();
  if (applied) ++state_->flushes;
  if (!applied && !state_->is_off) node_->content.fail_flush(state_->dice);
  return done;
}

Result<std::uint64_t, DiskError> SimFile::size() {
  std::scoped_lock lock(state_->mutex);
  if (state_->is_off) return power_is_off();
  return node_->content.size();
}

Result<void, DiskError> SimFile::truncate(std::uint64_t size) {
  std::scoped_lock lock(state_->mutex);
  return changes(DiskStep::truncate, place(size, 0), [&] {
    node_->content.resize(size);
    return Result<void, DiskError>();
  });
}

Result<void, DiskError> SimFile::allocate(std::uint64_t size) {
  std::scoped_lock lock(state_->mutex);
  return changes(DiskStep::allocate, place(size, 0), [&]() -> Result<void, DiskError> {
    if (size > node_->content.size() + state_->free_bytes())
      return sim_failure(std::errc::no_space_on_device, path_);
    node_->content.resize(std::max(size, node_->content.size()));
    return {};
  });
}

Result<void, DiskError> SimFile::close() {
  std::scoped_lock lock(state_->mutex);
  if (state_->is_off) return power_is_off();
  return {};
}

Result<void, DiskError> SimFile::changes(DiskStep kind, const std::string& what,
                                         const std::function<Result<void, DiskError>()>& apply) {
  if (!is_writable_) return sim_failure(std::errc::bad_file_descriptor, path_);
  return state_->step(kind, what, apply);
}

std::string SimFile::place(std::uint64_t size, std::uint64_t offset) const {
  return cat(path_, " ", std::to_string(size), " bytes at ", std::to_string(offset));
}

}  // namespace hikyaku::test
