// SPDX-License-Identifier: MIT
// A Disk that is nothing but bytes in memory, for tests that try thousands of slightly different spools:
// copying one costs next to nothing, since copies share their files' bytes until one of them writes. Knows of
// no power cut (sim_disk.h does) and fails only where a test says that it is full. One thread.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "spool/disk.h"

namespace hikyaku::test {

class MemoryDisk final : public spool::Disk {
 public:
  MemoryDisk() = default;
  MemoryDisk(const MemoryDisk& other);
  MemoryDisk& operator=(const MemoryDisk&) = delete;

  // What a test does to the medium.
  const std::string& bytes(const std::string& path) const;
  void put(const std::string& path, std::string bytes);
  void remove(const std::string& path) { files_.erase(path); }
  std::vector<std::string> paths() const;  // of all files
  void set_full(bool full) { is_full_ = full; }

  Result<std::unique_ptr<spool::DiskFile>, spool::DiskError> create(std::string_view path) override;
  Result<std::unique_ptr<spool::DiskFile>, spool::DiskError> open_for_reading(std::string_view path) override;
  Result<std::unique_ptr<spool::DiskFile>, spool::DiskError> open_for_writing(std::string_view path) override;
  Result<std::vector<std::string>, spool::DiskError> list(std::string_view directory) override;
  Result<void, spool::DiskError> rename(std::string_view from, std::string_view to) override;
  Result<void, spool::DiskError> unlink(std::string_view path) override;
  Result<void, spool::DiskError> make_directory(std::string_view path) override;
  Result<void, spool::DiskError> sync_directory(std::string_view path) override;
  Result<spool::DiskSpace, spool::DiskError> space() override;
  Result<std::unique_ptr<spool::DiskLock>, spool::DiskError> lock(std::string_view path) override;

  struct File {
    std::shared_ptr<const std::string> bytes;
  };

 private:
  std::map<std::string, std::shared_ptr<File>, std::less<>> files_;
  std::set<std::string, std::less<>> directories_;
  bool is_full_ = false;
};

}  // namespace hikyaku::test
