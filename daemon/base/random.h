// SPDX-License-Identifier: MIT
// Random bytes from the kernel (getrandom), and a source that tests can fix.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace hikyaku {

void fill_random(std::span<std::uint8_t> bytes);
std::uint64_t random_number();
// `length` letters and digits, about 5 bits each; for tokens and message ids.
std::string random_token(std::size_t length);

// Gives a number in [0, 1); the default draws from the kernel, tests pass a fixed one. For jitter.
using Jitter = std::function<double()>;
double random_fraction();

}  // namespace hikyaku
