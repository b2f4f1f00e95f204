// SPDX-License-Identifier: MIT
#include "tests/support/disk/memory_disk.h"

#include <algorithm>

#include "daemon/base/check.h"
#include "daemon/base/text.h"

namespace hikyaku::test {

using spool::DiskError;

namespace {

std::unexpected<DiskError> failure(std::errc kind, std::string_view path) {
  return fail(kind, cat(path, ": ", std::make_error_code(kind).message()));
}

class MemoryFile final : public spool::DiskFile {
 public:
  MemoryFile(std::shared_ptr<MemoryDisk::File> file, const bool& is_full)
      : file_(std::move(file)), is_full_(is_full) {}

  Result<std::size_t, DiskError> read(std::span<char> into, std::uint64_t offset) override {
    const std::string& bytes = *file_->bytes;
    if (offset >= bytes.size()) return 0;
    return bytes.copy(into.data(), into.size(), static_cast<std::size_t>(offset));
  }
  Result<std::size_t, DiskError> write_some(std::span<const std::string_view> pieces,
                                            std::uint64_t offset) override {
    std::string bytes = *file_->bytes;
    auto at = static_cast<std::size_t>(offset);
    for (std::string_view piece : pieces) {
      if (is_full_ && at + piece.size() > bytes.size())
        return failure(std::errc::no_space_on_device, "write");
      bytes.resize(std::max(bytes.size(), at + piece.size()));
      bytes.replace(at, piece.size(), piece);
      at += piece.size();
    }
    file_->bytes = std::make_shared<const std::string>(std::move(bytes));
    return at - static_cast<std::size_t>(offset);
  }
  Result<void, DiskError> flush() override { return {}; }
  Result<std::uint64_t, DiskError> size() override { return file_->bytes->size(); }
  Result<void, DiskError> truncate(std::uint64_t size) override {
    std::string bytes = *file_->bytes;
    bytes.resize(static_cast<std::size_t>(size));
    file_->bytes = std::make_shared<const std::string>(std::move(bytes));
    return {};
  }
  Result<void, DiskError> allocate(std::uint64_t size) override {
    return size > file_->bytes->size() ? truncate(size) : Result<void, DiskError>();
  }
  Result<void, DiskError> close() override { return {}; }

 private:
  std::shared_ptr<MemoryDisk::File> file_;
  const bool& is_full_;
};

class NoLock final : public spool::DiskLock {};

}  // namespace

MemoryDisk::MemoryDisk(const MemoryDisk& other) : directories_(other.directories_), is_full_(other.is_full_) {
  for (const auto& [path, file] : other.files_) files_.emplace(path, std::make_shared<File>(*file));
}

const std::string& MemoryDisk::bytes(const std::string& path) const {
  auto found = files_.find(path);
  check(found != files_.end(), "no such file on the disk in memory");
  return *found->second->bytes;
}

void MemoryDisk::put(const std::string& path, std::string bytes) {
  directories_.erase(path);
  files_[path] = std::make_shared<File>(std::make_shared<const std::string>(std::move(bytes)));
}

std::vector<std::string> MemoryDisk::paths() const {
  std::vector<std::string> all;
  for (const auto& [path, file] : files_) all.push_back(path);
  return all;
}

Result<std::unique_ptr<spool::DiskFile>, DiskError> MemoryDisk::create(std::string_view path) {
  if (is_full_) return failure(std::errc::no_space_on_device, path);
  if (files_.contains(path) || directories_.contains(path)) return failure(std::errc::file_exists, path);
  put(std::string(path), {});
  return open_for_writing(path);
}

Result<std::unique_ptr<spool::DiskFile>, DiskError> MemoryDisk::open_for_reading(std::string_view path) {
  return open_for_writing(path);
}

Result<std::unique_ptr<spool::DiskFile>, DiskError> MemoryDisk::open_for_writing(std::string_view path) {
  if (directories_.contains(path)) return failure(std::errc::is_a_directory, path);
  auto found = files_.find(path);
  if (found == files_.end()) return failure(std::errc::no_such_file_or_directory, path);
  return std::make_unique<MemoryFile>(found->second, is_full_);
}

Result<std::vector<std::string>, DiskError> MemoryDisk::list(std::string_view directory) {
  if (!directories_.contains(directory)) return failure(std::errc::no_such_file_or_directory, directory);
  std::vector<std::string> names;
  std::string prefix = cat(directory, "/");
  auto note = [&](std::string_view path) {
    if (path.starts_with(prefix)) names.emplace_back(path.substr(prefix.size()));
  };
  for (const auto& [path, file] : files_) note(path);
  for (const std::string& path : directories_) note(path);
  std::ranges::sort(names);
  return names;
}

Result<void, DiskError> MemoryDisk::rename(std::string_view from, std::string_view to) {
  if (directories_.contains(to)) return failure(std::errc::is_a_directory, to);
  if (directories_.erase(std::string(from)) > 0) return make_directory(to);  // an empty one
  auto source = files_.find(from);
  if (source == files_.end()) return failure(std::errc::no_such_file_or_directory, from);
  auto file = std::move(source->second);
  files_.erase(source);
  files_.insert_or_assign(std::string(to), std::move(file));
  return {};
}

Result<void, DiskError> MemoryDisk::unlink(std::string_view path) {
  auto found = files_.find(path);
  if (found == files_.end()) return failure(std::errc::no_such_file_or_directory, path);
  files_.erase(found);
  return {};
}

Result<void, DiskError> MemoryDisk::make_directory(std::string_view path) {
  bool made = directories_.emplace(path).second;
  return made ? Result<void, DiskError>() : failure(std::errc::file_exists, path);
}

Result<void, DiskError> MemoryDisk::sync_directory(std::string_view) { return {}; }

Result<spool::DiskSpace, DiskError> MemoryDisk::space() {
  constexpr std::uint64_t kPlenty = std::uint64_t{1} << 40;
  return spool::DiskSpace{is_full_ ? 0 : kPlenty, kPlenty, kPlenty};
}

Result<std::unique_ptr<spool::DiskLock>, DiskError> MemoryDisk::lock(std::string_view) {
  return std::make_unique<NoLock>();
}

}  // namespace hikyaku::test
