// SPDX-License-Identifier: MIT
// A Disk that can only be read: whatever would change it fails and is counted. Before each read something
// else may happen, as beside a running daemon: the hook gets the read's number, from 1.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "spool/disk.h"

namespace hikyaku::spool {

class WatchedDisk final : public Disk {
 public:
  using Hook = std::function<void(std::uint64_t)>;
  explicit WatchedDisk(Disk& disk, Hook before_read = {}) : disk_(disk), hook_(std::move(before_read)) {}

  std::uint64_t reads() const { return reads_; }
  std::uint64_t changes() const { return changes_; }

  Result<std::unique_ptr<DiskFile>, DiskError> open_for_reading(std::string_view path) override {
    note_read();
    auto file = disk_.open_for_reading(path);
    if (!file) return std::unexpected(file.error());
    return std::make_unique<File>(*this, std::move(*file));
  }
  Result<std::vector<std::string>, DiskError> list(std::string_view directory) override {
    note_read();
    return disk_.list(directory);
  }

  Result<std::unique_ptr<DiskFile>, DiskError> create(std::string_view) override { return refuse(); }
  Result<std::unique_ptr<DiskFile>, DiskError> open_for_writing(std::string_view) override {
    return refuse();
  }
  Result<void, DiskError> rename(std::string_view, std::string_view) override { return refuse(); }
  Result<void, DiskError> unlink(std::string_view) override { return refuse(); }
  Result<void, DiskError> make_directory(std::string_view) override { return refuse(); }
  Result<void, DiskError> sync_directory(std::string_view) override { return refuse(); }
  Result<DiskSpace, DiskError> space() override { return refuse(); }
  Result<std::unique_ptr<DiskLock>, DiskError> lock(std::string_view) override { return refuse(); }

 private:
  class File final : public DiskFile {
   public:
    File(WatchedDisk& disk, std::unique_ptr<DiskFile> file) : disk_(disk), file_(std::move(file)) {}
    Result<std::size_t, DiskError> read(std::span<char> into, std::uint64_t offset) override {
      disk_.note_read();
      return file_->read(into, offset);
    }
    Result<std::uint64_t, DiskError> size() override { return file_->size(); }
    Result<void, DiskError> close() override { return file_->close(); }
    Result<std::size_t, DiskError> write_some(std::span<const std::string_view>, std::uint64_t) override {
      return disk_.refuse();
    }
    Result<void, DiskError> flush() override { return disk_.refuse(); }
    Result<void, DiskError> truncate(std::uint64_t) override { return disk_.refuse(); }
    Result<void, DiskError> allocate(std::uint64_t) override { return disk_.refuse(); }

   private:
    WatchedDisk& disk_;
    std::unique_ptr<DiskFile> file_;
  };

  void note_read() {
    ++reads_;
    if (hook_) hook_(reads_);
  }
  std::unexpected<DiskError> refuse() {
    ++changes_;
    return fail(std::errc::read_only_file_system, "a reader changes nothing");
  }

  Disk& disk_;
  Hook hook_;
  std::uint64_t reads_ = 0;
  std::uint64_t changes_ = 0;
};

}  // namespace hikyaku::spool
