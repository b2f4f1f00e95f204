// SPDX-License-Identifier: MIT
// The bytes of a simulated file, in pages that copies share until one of them writes: power cuts copy whole
// disks, and most of a disk is the same in all its copies. A page of zeros takes nothing.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hikyaku::test {

class SimPages {
 public:
  std::uint64_t size() const { return size_; }
  void resize(std::uint64_t size);  // zeros where it grows
  // Fewer bytes than asked for mean the end.
  std::size_t read(std::span<char> into, std::uint64_t offset) const;
  std::string read(std::uint64_t offset, std::size_t length) const;
  void write(std::string_view bytes, std::uint64_t offset);  // grows as needed

 private:
  static constexpr std::size_t kPage = 4096;
  using Page = std::array<char, kPage>;

  void write_page(std::size_t number, std::size_t offset, std::string_view bytes);
  Page& own(std::size_t number);

  std::uint64_t size_ = 0;  // what stands behind it in the last page is zero
  std::vector<std::shared_ptr<Page>> pages_;
};

}  // namespace hikyaku::test
