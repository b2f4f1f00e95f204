// SPDX-License-Identifier: MIT
#include "daemon/base/random.h"

#include <sys/random.h>

#include <array>

#include "daemon/base/error.h"

namespace hikyaku {

void fill_random(std::span<std::uint8_t> bytes) {
  while (!bytes.empty()) {
    ssize_t got = ::getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0) continue;  // EINTR only: the pool is always ready after boot
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

std::uint64_t random_number() {
  std::uint64_t number = 0;
  fill_random({reinterpret_cast<std::uint8_t*>(&number), sizeof number});
  return number;
}

std::string random_token(std::size_t length) {
  static constexpr char kLetters[] = "0123456789abcdefghjkmnpqrstvwxyz";
  std::string token(length, '\0');
  fill_random({reinterpret_cast<std::uint8_t*>(token.data()), token.size()});
  for (char& c : token) c = kLetters[static_cast<std::uint8_t>(c) % 32];
  return token;
}

double random_fraction() { return static_cast<double>(random_number() >> 11) * 0x1.0p-53; }

}  // namespace hikyaku
