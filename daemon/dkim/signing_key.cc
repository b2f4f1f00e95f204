// SPDX-License-Identifier: MIT
#include "daemon/dkim/signing_key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::dkim {
namespace {

constexpr std::size_t kDigest = 32;

struct Freed {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
using Bio = std::unique_ptr<BIO, Freed>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed>;

// OpenSSL's first word on what went wrong; the thread's list of errors is empty then.
std::string openssl_words() {
  std::array<char, 256> text{};
  if (const unsigned long error = ERR_get_error(); error != 0)
    ERR_error_string_n(error, text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

std::optional<KeyKind> kind_of(const io::PrivateKey& key) {
  if (key.is_rsa()) return KeyKind::rsa;
  if (key.is_ed25519()) return KeyKind::ed25519;
  return std::nullopt;
}

// The two halves belong together.
bool is_sound(EVP_PKEY* key) {
  const KeyContext context(EVP_PKEY_CTX_new(key, nullptr));
  const bool sound = context && EVP_PKEY_pairwise_check(context.get()) == 1;
  ERR_clear_error();
  return sound;
}

std::string objection_to_rsa(const io::PrivateKey& key) {
  const unsigned bits = key.bits();
  if (bits < kLeastBits)
    return cat("is an RSA key of ", std::to_string(bits), " bits, and receivers take none below ",
               std::to_string(kLeastBits), "; make another one: hikyaku dkim new DOMAIN");
  if (bits > kMostBits)
    return cat("is an RSA key of ", std::to_string(bits), " bits, and few receivers take more than 4096");
  return is_sound(key.get()) ? "" : "is damaged: the private half of the key does not fit the public one";
}

std::string spki_of(EVP_PKEY* key) {
  unsigned char* bytes = nullptr;
  const int length = i2d_PUBKEY(key, &bytes);
  std::string text;
  if (length > 0) text.assign(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(length));
  OPENSSL_free(bytes);
  return text;
}

std::string raw_of(EVP_PKEY* key) {
  std::array<unsigned char, 32> bytes{};
  std::size_t length = bytes.size();
  if (EVP_PKEY_get_raw_public_key(key, bytes.data(), &length) != 1) return {};
  return {reinterpret_cast<char*>(bytes.data()), length};
}

}  // namespace

std::string_view to_text(KeyKind kind) { return kind == KeyKind::rsa ? "RSA" : "Ed25519"; }
std::string_view name_of(KeyKind kind) { return kind == KeyKind::rsa ? "rsa" : "ed25519"; }
std::string_view algorithm(KeyKind kind) { return kind == KeyKind::rsa ? "rsa-sha256" : "ed25519-sha256"; }

Result<SigningKey, std::string> SigningKey::parse(std::string_view pem) {
  auto key = io::PrivateKey::parse(pem);
  if (!key) return std::unexpected(key.error());
  const auto kind = kind_of(*key);
  if (!kind) return std::unexpected("is neither an RSA nor an Ed25519 key, and DKIM has no others");
  if (*kind == KeyKind::rsa)
    if (std::string wrong = objection_to_rsa(*key); !wrong.empty()) return std::unexpected(std::move(wrong));
  return SigningKey(std::move(*key), *kind);
}

Result<SigningKey, std::string> SigningKey::generate(KeyKind kind) {
  EVP_PKEY* key = kind == KeyKind::rsa ? EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{kGoodBits})
                                       : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  if (key == nullptr) return std::unexpected(cat("no key can be made: ", openssl_words()));
  return SigningKey(io::PrivateKey(key), kind);
}

std::string SigningKey::public_key() const {
  return kind_ == KeyKind::rsa ? spki_of(key_.get()) : raw_of(key_.get());
}

Secret SigningKey::to_pem() const {
  const Bio bio(BIO_new(BIO_s_secmem()));
  if (!bio ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    ERR_clear_error();
    return {};
  }
  char* bytes = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &bytes);
  return Secret(std::string(bytes, static_cast<std::size_t>(length)));
}

// Ed25519 signs the SHA-256 of the text (RFC 8463 3).
std::optional<std::string> SigningKey::sign(std::string_view text) const {
  if (kind_ == KeyKind::rsa) return key_.sign(text);
  Sha256 digest;
  digest.feed(text);
  return key_.sign(digest.finish());
}

std::string describe(const SigningKey& key) {
  if (key.kind() == KeyKind::ed25519) return "Ed25519";
  return cat("RSA, ", std::to_string(key.bits()), " bits");
}

struct Sha256::State {
  DigestContext context{EVP_MD_CTX_new()};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  check(state_->context && EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) == 1,
        "SHA-256 cannot be computed");
}

Sha256::~Sha256() = default;

void Sha256::feed(std::string_view bytes) {
  check(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1, "SHA-256 goes on");
}

std::string Sha256::finish() {
  std::string digest(kDigest, '\0');
  check(EVP_DigestFinal_ex(state_->context.get(), reinterpret_cast<unsigned char*>(digest.data()), nullptr) ==
            1,
        "SHA-256 ends");
  return digest;
}

}  // namespace hikyaku::dkim
