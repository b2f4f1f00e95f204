// SPDX-License-Identifier: MIT
#include "daemon/io/slow_hash.h"

#include <openssl/evp.h>

#include <array>

#include "daemon/io/tls_errors.h"

namespace hikyaku::io {
namespace {

constexpr int kIterations = 210'000;  // OWASP's advice of 2023

}  // namespace

std::optional<std::string> slow_hash(std::string_view secret, std::string_view salt) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::array<unsigned char, 32> hash{};
  const int done = PKCS5_PBKDF2_HMAC(
      secret.data(), static_cast<int>(secret.size()), reinterpret_cast<const unsigned char*>(salt.data()),
      static_cast<int>(salt.size()), kIterations, EVP_sha512(), static_cast<int>(hash.size()), hash.data());
  if (done != 1) drain_openssl_errors();
  if (done != 1) return std::nullopt;
  std::string text;
  for (unsigned char byte : hash) text += {kHex[byte >> 4], kHex[byte & 15]};
  return text;
}

}  // namespace hikyaku::io
