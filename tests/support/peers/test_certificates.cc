// SPDX-License-Identifier: MIT
#include "tests/support/peers/test_certificates.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <array>
#include <filesystem>
#include <memory>
#include <vector>

#include "daemon/base/error.h"
#include "daemon/base/text.h"

namespace hikyaku::test {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Free>;
using CertificatePtr = std::unique_ptr<X509, Free>;
using BioPtr = std::unique_ptr<BIO, Free>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Free>;

constexpr const char* kNames = "DNS:smtp.example,DNS:localhost,IP:127.0.0.1,IP:::1";
constexpr long kDay = 24 * 60 * 60;

struct Wish {
  const char* common_name;
  const char* alternative_names = kNames;
  const char* usage = "serverAuth";
  long from_day = -1;
  long to_day = 3650;
  bool is_ca = false;
  std::vector<std::string> raw_names{};  // instead, byte for byte
};

struct Identity {
  KeyPtr key;
  CertificatePtr certificate;
};

void extend(X509* certificate, X509* issuer, int what, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, what, value));
  check(extension && X509_add_ext(certificate, extension.get(), -1) == 1,
        "an extension of a test certificate");
}

void add_raw_names(X509* certificate, const std::vector<std::string>& names) {
  GENERAL_NAMES* all = sk_GENERAL_NAME_new_null();
  for (const std::string& text : names) {
    ASN1_IA5STRING* bytes = ASN1_IA5STRING_new();
    ASN1_STRING_set(bytes, text.data(), static_cast<int>(text.size()));
    GENERAL_NAME* name = GENERAL_NAME_new();
    GENERAL_NAME_set0_value(name, GEN_DNS, bytes);
    sk_GENERAL_NAME_push(all, name);
  }
  check(X509_add1_ext_i2d(certificate, NID_subject_alt_name, all, 0, 0) == 1, "names of a test certificate");
  GENERAL_NAMES_free(all);
}

std::vector<std::string> hostile_names() {
  std::vector<std::string> names{std::string("ok.example\0.evil", 16), "two\r\nlines", "\x1b[2J", "{pin}",
                                 std::string(2000, 'a')};
  while (names.size() < 3000) names.push_back(cat("n", std::to_string(names.size()), ".example"));
  return names;
}

// Without an issuer it signs itself.
Identity issue(const Wish& wish, const Identity* issuer) {
  static long serial = 0;
  Identity made{KeyPtr(EVP_EC_gen("P-256")), CertificatePtr(X509_new())};
  X509* certificate = made.certificate.get();
  X509* signer = issuer != nullptr ? issuer->certificate.get() : certificate;
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), wish.from_day * kDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate), wish.to_day * kDay);
  X509_set_pubkey(certificate, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wish.common_name), -1, -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(signer));
  extend(certificate, signer, NID_basic_constraints, wish.is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
  extend(certificate, signer, NID_subject_key_identifier, "hash");
  if (!wish.raw_names.empty())
    add_raw_names(certificate, wish.raw_names);
  else if (!wish.is_ca)
    extend(certificate, signer, NID_subject_alt_name, wish.alternative_names);
  if (!wish.is_ca) extend(certificate, signer, NID_ext_key_usage, wish.usage);
  EVP_PKEY* signing_key = issuer != nullptr ? issuer->key.get() : made.key.get();
  check(X509_sign(certificate, signing_key, EVP_sha256()) > 0, "a test certificate cannot be signed");
  return made;
}

std::string fingerprint(X509* certificate) {
  std::array<unsigned char, 32> digest{};
  unsigned length = 0;
  X509_digest(certificate, EVP_sha256(), digest.data(), &length);
  std::string text = "sha256:";
  for (unsigned char byte : digest) text += {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
  return text;
}

CertificateFiles save(const Identity& identity, const std::string& path, const Identity* issuer = nullptr) {
  CertificateFiles files{cat(path, ".pem"), cat(path, ".key"), fingerprint(identity.certificate.get())};
  BioPtr cert(BIO_new_file(files.cert.c_str(), "w"));
  BioPtr key(BIO_new_file(files.key.c_str(), "w"));
  bool saved =
      cert && key && PEM_write_bio_X509(cert.get(), identity.certificate.get()) == 1 &&
      (issuer == nullptr || PEM_write_bio_X509(cert.get(), issuer->certificate.get()) == 1) &&
      PEM_write_bio_PrivateKey(key.get(), identity.key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1;
  check(saved, "a test certificate cannot be saved");
  return files;
}

class CertificateMaker : public TestCertificates {
 public:
  CertificateMaker() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hikyaku-tls-XXXXXX").string();
    check(::mkdtemp(pattern.data()) != nullptr, "no temporary directory");
    directory = pattern;
    Identity ca = issue({.common_name = "Test CA", .is_ca = true}, nullptr);
    Identity other_ca = issue({.common_name = "Other CA", .is_ca = true}, nullptr);
    ca_file = save(ca, path("ca")).cert;
    good = make("good", {.common_name = "good"}, &ca);
    expired = make("expired", {.common_name = "expired", .from_day = -30, .to_day = -1}, &ca);
    not_yet_valid = make("not_yet_valid", {.common_name = "not yet valid", .from_day = 30}, &ca);
    wrong_name =
        make("wrong_name", {.common_name = "smtp.example", .alternative_names = "DNS:other.example"}, &ca);
    client = make("client", {.common_name = "client", .usage = "clientAuth"}, &ca);
    self_signed = make("self_signed", {.common_name = "self-signed"}, nullptr);
    hostile = make("hostile", {.common_name = "hostile", .raw_names = hostile_names()}, &ca);
    Identity old_ca = issue({.common_name = "Old CA", .from_day = -30, .to_day = -1, .is_ca = true}, &ca);
    old_chain = save(issue({.common_name = "old chain"}, &old_ca), path("old_chain"), &old_ca);
    unknown_issuer = make("unknown_issuer", {.common_name = "unknown issuer"}, &other_ca);
  }
  ~CertificateMaker() { std::filesystem::remove_all(directory); }

 private:
  std::string path(std::string_view name) const { return cat(directory, "/", name); }
  CertificateFiles make(std::string_view name, const Wish& wish, const Identity* issuer) const {
    return save(issue(wish, issuer), path(name));
  }
};

}  // namespace

const TestCertificates& test_certificates() {
  static const CertificateMaker kMade;
  return kMade;
}

}  // namespace hikyaku::test
