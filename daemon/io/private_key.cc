// SPDX-License-Identifier: MIT
#include "daemon/io/private_key.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

namespace hikyaku::io {
namespace {

struct FreeOfKey {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// OpenSSL would ask on the terminal otherwise.
int note_passphrase(char*, int, int, void* was_asked) {
  *static_cast<bool*>(was_asked) = true;
  return -1;
}

const unsigned char* octets_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

Result<PrivateKey, std::string> PrivateKey::parse(std::string_view pem) {
  const std::unique_ptr<BIO, FreeOfKey> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  bool was_asked = false;
  EVP_PKEY* key = bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, note_passphrase, &was_asked) : nullptr;
  ERR_clear_error();
  if (key != nullptr) return PrivateKey(key);
  if (was_asked)
    return std::unexpected(
        "is encrypted with a passphrase, which nobody can type here; write it without: openssl pkey -in "
        "FILE");
  return std::unexpected("is no private key in PEM form, which begins with -----BEGIN PRIVATE KEY-----");
}

PrivateKey::PrivateKey(evp_pkey_st* key) : key_(key, EVP_PKEY_free) {}

bool PrivateKey::is_rsa() const { return EVP_PKEY_is_a(get(), "RSA") == 1; }
bool PrivateKey::is_ed25519() const { return EVP_PKEY_is_a(get(), "ED25519") == 1; }
unsigned PrivateKey::bits() const { return static_cast<unsigned>(EVP_PKEY_get_bits(get())); }

std::optional<std::string> PrivateKey::sign(std::string_view text) const {
  const std::unique_ptr<EVP_MD_CTX, FreeOfKey> context(EVP_MD_CTX_new());
  const EVP_MD* digest = is_ed25519() ? nullptr : EVP_sha256();
  std::size_t length = 0;
  if (context && EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, get()) == 1 &&
      EVP_DigestSign(context.get(), nullptr, &length, octets_of(text), text.size()) == 1) {
    std::string signature(length, '\0');
    auto* to = reinterpret_cast<unsigned char*>(signature.data());
    if (EVP_DigestSign(context.get(), to, &length, octets_of(text), text.size()) == 1) {
      signature.resize(length);
      return signature;
    }
  }
  ERR_clear_error();
  return std::nullopt;
}

}  // namespace hikyaku::io
