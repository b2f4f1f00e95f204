// SPDX-License-Identifier: MIT
// How numbers and texts stand on the disk: little endian, texts with a 32-bit length before them. The decoder
// never reads beyond its bytes; after the first failure everything it gives is zero or empty, and ok() says
// no.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hikyaku::spool {

class Encoder {
 public:
  Encoder& u8(std::uint8_t value) { return number(value, 1); }
  Encoder& u16(std::uint16_t value) { return number(value, 2); }
  Encoder& u32(std::uint32_t value) { return number(value, 4); }
  Encoder& u64(std::uint64_t value) { return number(value, 8); }
  Encoder& i64(std::int64_t value) { return number(static_cast<std::uint64_t>(value), 8); }
  Encoder& raw(std::string_view bytes) {
    out_.append(bytes);
    return *this;
  }
  Encoder& text(std::string_view bytes) { return u32(static_cast<std::uint32_t>(bytes.size())).raw(bytes); }
  // Zeros up to `size` bytes in all.
  Encoder& pad_to(std::size_t size) {
    out_.resize(size);
    return *this;
  }

  void reserve(std::size_t size) { out_.reserve(size); }
  const std::string& bytes() const { return out_; }
  std::string take() { return std::move(out_); }

 private:
  Encoder& number(std::uint64_t value, int bytes) {
    char little[8];
    for (int i = 0; i < 8; ++i) little[i] = static_cast<char>(value >> (8 * i));
    return raw({little, static_cast<std::size_t>(bytes)});
  }
  std::string out_;
};

class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : left_(bytes) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }
  std::int64_t i64() { return static_cast<std::int64_t>(number(8)); }
  std::string_view text() { return raw(u32()); }
  std::string_view raw(std::size_t size) {
    if (size > left_.size()) {
      reject();
      return {};
    }
    std::string_view bytes = left_.substr(0, size);
    left_.remove_prefix(size);
    return bytes;
  }
  // A count of things of at least `least` bytes each: more than can follow is a failure, so that a damaged
  // count never makes anyone reserve memory for it.
  std::size_t count(std::size_t least) {
    std::size_t many = u32();
    if (many > left_.size() / least) {
      reject();
      return 0;
    }
    return many;
  }

  // The bytes just read cannot come from the encoder.
  void reject() {
    left_ = {};
    ok_ = false;
  }

  bool ok() const { return ok_; }
  std::size_t left() const { return left_.size(); }
  bool is_at_end() const { return left_.empty(); }

 private:
  std::uint64_t number(std::size_t size) {
    std::string_view bytes = raw(size);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i)
      value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    return value;
  }
  std::string_view left_;
  bool ok_ = true;
};

}  // namespace hikyaku::spool
