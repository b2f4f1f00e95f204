// SPDX-License-Identifier: MIT
#include "daemon/base/random.h"

#include <sys/random.h>

#include <algorithm>
#include <array>

#include "daemon/base/error.h"

namespace hikyaku {
namespace {

// Small amounts come out of a reserve, not a system call each. Nothing that is random is repeated in a child
// process unless that draws, too; ours do not.
class Reserve {
 public:
  void draw(std::span<std::uint8_t> bytes) {
    if (bytes.size() > left_) refill();
    const auto taken = std::span(reserve_).last(left_).first(bytes.size());
    std::ranges::copy(taken, bytes.begin());
    std::ranges::fill(taken, std::uint8_t{0});
    left_ -= bytes.size();
  }

 private:
  void refill() {
    fill_random(reserve_);
    left_ = reserve_.size();
  }

  std::array<std::uint8_t, 512> reserve_{};
  std::size_t left_ = 0;  // the last of it
};

void fill_from_reserve(std::span<std::uint8_t> bytes) {
  static thread_local Reserve reserve;
  constexpr std::size_t kSmall = 64;
  for (; !bytes.empty(); bytes = bytes.subspan(std::min(kSmall, bytes.size())))
    reserve.draw(bytes.first(std::min(kSmall, bytes.size())));
}

}  // namespace

void fill_random(std::span<std::uint8_t> bytes) {
  while (!bytes.empty()) {
    ssize_t got = ::getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0) continue;  // EINTR only: the pool is always ready after boot
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

std::uint64_t random_number() {
  std::uint64_t number = 0;
  fill_from_reserve({reinterpret_cast<std::uint8_t*>(&number), sizeof number});
  return number;
}

std::string random_token(std::size_t length) {
  static constexpr char kLetters[] = "0123456789abcdefghjkmnpqrstvwxyz";
  std::string token(length, '\0');
  fill_from_reserve({reinterpret_cast<std::uint8_t*>(token.data()), token.size()});
  for (char& c : token) c = kLetters[static_cast<std::uint8_t>(c) % 32];
  return token;
}

double random_fraction() { return static_cast<double>(random_number() >> 11) * 0x1.0p-53; }

}  // namespace hikyaku
