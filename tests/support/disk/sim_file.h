// SPDX-License-Identifier: MIT
// An open file of a simulated disk.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "tests/support/disk/sim_state.h"

namespace hikyaku::test {

class SimFile final : public spool::DiskFile {
 public:
  SimFile(std::shared_ptr<SimDisk::State> state, std::shared_ptr<SimNode> node, std::string path,
          bool is_writable);
  Result<std::size_t, spool::DiskError> read(std::span<char> into, std::uint64_t offset) override;
  Result<std::size_t, spool::DiskError> write_some(std::span<const std::string_view> pieces,
                                                   std::uint64_t offset) override;
  Result<void, spool::DiskError> flush() override;
  Result<std::uint64_t, spool::DiskError> size() override;
  Result<void, spool::DiskError> truncate(std::uint64_t size) override;
  Result<void, spool::DiskError> allocate(std::uint64_t size) override;
  Result<void, spool::DiskError> close() override;

 private:
  Result<void, spool::DiskError> changes(DiskStep kind, const std::string& what,
                                         const std::function<Result<void, spool::DiskError>()>& apply);
  std::string place(std::uint64_t size, std::uint64_t offset) const;

  std::shared_ptr<SimDisk::State> state_;
  std::shared_ptr<SimNode> node_;
  std::string path_;
  bool is_writable_;
};

}  // namespace hikyaku::test
