// SPDX-License-Identifier: MIT
// XXH3 with a seed, the spool's checksum. Not a defence against someone who knows the seed.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

namespace hikyaku {

std::uint64_t checksum(std::string_view bytes, std::uint64_t seed);

// The same over pieces: update() with all of them in order gives checksum() of their concatenation.
class Checksum {
 public:
  explicit Checksum(std::uint64_t seed);
  Checksum(Checksum&&) noexcept;
  Checksum& operator=(Checksum&&) noexcept;
  ~Checksum();
  void update(std::string_view bytes);
  std::uint64_t digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hikyaku
