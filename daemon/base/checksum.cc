// SPDX-License-Identifier: MIT
#include "daemon/base/checksum.h"

#include <xxhash.h>
#if defined(__x86_64__)
#include <xxh_x86dispatch.h>  // the same functions, by the processor's widest vectors
#endif

#include "daemon/base/error.h"

namespace hikyaku {

struct Checksum::State {
  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  std::unique_ptr<XXH3_state_t, Free> xxh{XXH3_createState()};
};

std::uint64_t checksum(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

Checksum::Checksum(std::uint64_t seed) : state_(std::make_unique<State>()) {
  check(state_->xxh != nullptr, "no memory for a checksum");
  XXH3_64bits_reset_withSeed(state_->xxh.get(), seed);
}
Checksum::Checksum(Checksum&&) noexcept = default;
Checksum& Checksum::operator=(Checksum&&) noexcept = default;
Checksum::~Checksum() = default;

void Checksum::update(std::string_view bytes) {
  XXH3_64bits_update(state_->xxh.get(), bytes.data(), bytes.size());
}

std::uint64_t Checksum::digest() const { return XXH3_64bits_digest(state_->xxh.get()); }

}  // namespace hikyaku
