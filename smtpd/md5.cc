// SPDX-License-Identifier: MIT
#include "smtpd/md5.h"

#include <bit>
#include <cmath>

#include "daemon/base/text.h"

namespace hikyaku::smtpd {
namespace {

constexpr std::size_t kBlock = 64;

using Words = std::array<std::uint32_t, 4>;

// RFC 1321 3.4: T[i] is the integer part of 4294967296 times abs(sin(i)), i in radians.
std::array<std::uint32_t, 64> make_sines() {
  std::array<std::uint32_t, 64> sines;
  for (std::size_t i = 0; i < 64; ++i)
    sines[i] =
        static_cast<std::uint32_t>(std::floor(std::fabs(std::sin(static_cast<double>(i + 1))) * 0x1p32));
  return sines;
}

std::uint32_t word_at(std::string_view block, std::size_t index) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < 4; ++i)
    word |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(block[index * 4 + i])) << (8 * i);
  return word;
}

std::uint32_t mix(std::size_t round, const Words& w) {
  switch (round) {
    case 0: return (w[1] & w[2]) | (~w[1] & w[3]);
    case 1: return (w[1] & w[3]) | (w[2] & ~w[3]);
    case 2: return w[1] ^ w[2] ^ w[3];
    default: return w[2] ^ (w[1] | ~w[3]);
  }
}

void add_block(Words& state, std::string_view block) {
  static const std::array<std::uint32_t, 64> kSines = make_sines();
  static constexpr std::array<std::array<int, 4>, 4> kShifts{
      {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}}};
  static constexpr std::array<std::size_t, 4> kStep{1, 5, 3, 7};
  static constexpr std::array<std::size_t, 4> kFirst{0, 1, 5, 0};
  Words w = state;
  for (std::size_t i = 0; i < 64; ++i) {
    std::size_t round = i / 16;
    std::uint32_t sum =
        w[0] + mix(round, w) + kSines[i] + word_at(block, (kFirst[round] + kStep[round] * i) % 16);
    w = {w[3], w[1] + std::rotl(sum, kShifts[round][i % 4]), w[1], w[2]};
  }
  for (std::size_t i = 0; i < 4; ++i) state[i] += w[i];
}

std::string_view as_text(const Md5Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

Md5Digest md5(std::string_view text) {
  std::string padded = cat(text, "\x80");
  while (padded.size() % kBlock != kBlock - 8) padded.push_back('\0');
  for (unsigned shift = 0; shift < 64; shift += 8)
    padded.push_back(static_cast<char>((std::uint64_t{text.size()} * 8) >> shift));
  Words state{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  for (std::size_t at = 0; at < padded.size(); at += kBlock)
    add_block(state, std::string_view(padded).substr(at, kBlock));
  Md5Digest digest;
  for (std::size_t i = 0; i < digest.size(); ++i)
    digest[i] = static_cast<std::uint8_t>(state[i / 4] >> (8 * (i % 4)));
  return digest;
}

Md5Digest hmac_md5(std::string_view key, std::string_view text) {
  std::string inner = key.size() > kBlock ? std::string(as_text(md5(key))) : std::string(key);
  inner.resize(kBlock, '\0');
  std::string outer = inner;
  for (char& c : inner) c = static_cast<char>(c ^ 0x36);
  for (char& c : outer) c = static_cast<char>(c ^ 0x5c);
  return md5(cat(outer, as_text(md5(cat(inner, text)))));
}

std::string to_hex(const Md5Digest& digest) {
  std::string hex;
  for (std::uint8_t byte : digest) {
    hex.push_back("0123456789abcdef"[byte >> 4]);
    hex.push_back("0123456789abcdef"[byte & 15]);
  }
  return hex;
}

}  // namespace hikyaku::smtpd
