// SPDX-License-Identifier: MIT
#include "daemon/io/hashes.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "daemon/base/text.h"
#include "daemon/io/tls_errors.h"

namespace hikyaku::io {
namespace {

constexpr int kIterations = 210'000;  // OWASP's advice of 2023

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::optional<std::string> digits(bool is_done, std::span<const unsigned char> hash) {
  if (is_done) return to_hex(hash);
  drain_openssl_errors();
  return std::nullopt;
}

}  // namespace

std::optional<std::string> slow_hash(std::string_view secret, std::string_view salt) {
  std::array<unsigned char, 32> hash{};
  const int done = PKCS5_PBKDF2_HMAC(secret.data(), static_cast<int>(secret.size()), bytes_of(salt),
                                     static_cast<int>(salt.size()), kIterations, EVP_sha512(),
                                     static_cast<int>(hash.size()), hash.data());
  return digits(done == 1, hash);
}

std::optional<std::string> hmac_md5(std::string_view key, std::string_view text) {
  std::array<unsigned char, 16> hash{};
  const unsigned char* done = HMAC(EVP_md5(), key.data(), static_cast<int>(key.size()), bytes_of(text),
                                   text.size(), hash.data(), nullptr);
  return digits(done != nullptr, hash);
}

}  // namespace hikyaku::io
