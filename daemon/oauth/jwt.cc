// SPDX-License-Identifier: MIT
#include "daemon/oauth/jwt.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <memory>

#include "daemon/base/base64.h"
#include "daemon/base/text.h"
#include "daemon/io/private_key.h"

namespace hikyaku::oauth {
namespace {

template <auto Free>
struct FreeBy {
  void operator()(auto* object) const { Free(object); }
};
using Bio = std::unique_ptr<BIO, FreeBy<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, FreeBy<X509_free>>;

Bio reading(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Never asks for a passphrase: a daemon has no terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

std::string digest(const EVP_MD* kind, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned size = 0;
  check(EVP_Digest(text.data(), text.size(), hash.data(), &size, kind, nullptr) == 1, "a hash failed");
  return {reinterpret_cast<const char*>(hash.data()), size};
}

}  // namespace

std::string to_base64url(std::string_view bytes) {
  std::string text = to_base64(bytes);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  while (text.ends_with('=')) text.pop_back();
  return text;
}

std::string sha256(std::string_view text) { return digest(EVP_sha256(), text); }

Result<Secret, std::string> sign_jwt(const JsonObject& header, const JsonObject& claims, const Secret& key) {
  auto usable = io::PrivateKey::parse(key.reveal());
  if (!usable) return std::unexpected(usable.error());
  if (!usable->is_rsa()) return std::unexpected("is no RSA key");
  const std::string signed_part = cat(to_base64url(header.text()), ".", to_base64url(claims.text()));
  const auto signature = usable->sign(signed_part);
  if (!signature) return std::unexpected("cannot sign with RS256");
  return Secret(cat(signed_part, ".", to_base64url(*signature)));
}

Result<std::string, std::string> certificate_mark(std::string_view pem) {
  const Bio bio = reading(pem);
  const Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  if (!certificate) return std::unexpected("is no certificate in PEM");
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate.get(), &der);
  if (size <= 0) return std::unexpected("is no certificate in PEM");
  std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return to_base64url(digest(EVP_sha1(), bytes));
}

}  // namespace hikyaku::oauth
