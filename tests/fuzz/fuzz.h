// SPDX-License-Identifier: MIT
// What every fuzz target is: one function over some bytes. A property that does not hold aborts, in all
// builds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "daemon/base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace hikyaku::test {

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace hikyaku::test
