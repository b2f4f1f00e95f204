// SPDX-License-Identifier: MIT
#include "daemon/io/self_signed.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "daemon/base/fd.h"
#include "daemon/base/ip.h"
#include "daemon/base/random.h"
#include "daemon/base/text.h"
#include "daemon/io/certificate.h"
#include "daemon/io/tls_errors.h"

namespace hikyaku::io {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Free>;
using CertificatePtr = std::unique_ptr<X509, Free>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Free>;
using MemoryBio = std::unique_ptr<BIO, Free>;

constexpr long kHour = 60 * 60;

std::unexpected<IoError> openssl_failure(std::string_view what) {
  return fail(IoErrorKind::tls_setup, cat(what, ": ", drain_openssl_errors()));
}

// "DNS:smtp.example.com,IP:127.0.0.1"
std::string alternative_names(const std::vector<std::string>& names) {
  std::vector<std::string> parts;
  for (const std::string& name : names) parts.push_back(cat(IpAddress::parse(name) ? "IP:" : "DNS:", name));
  return join(parts, ",");
}

bool extend(X509* certificate, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

void describe(X509* certificate, EVP_PKEY* key, const std::string& common_name, std::chrono::days lifetime) {
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), random_number() >> 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -kHour);
  X509_time_adj_ex(X509_getm_notAfter(certificate), static_cast<int>(lifetime.count()), 0, nullptr);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
}

CertificatePtr make_certificate(EVP_PKEY* key, const std::vector<std::string>& names,
                                std::chrono::days lifetime) {
  CertificatePtr certificate(X509_new());
  if (!certificate) return nullptr;
  describe(certificate.get(), key, names.front(), lifetime);
  bool made = extend(certificate.get(), NID_basic_constraints, "critical,CA:FALSE") &&
              extend(certificate.get(), NID_subject_key_identifier, "hash") &&
              extend(certificate.get(), NID_ext_key_usage, "serverAuth") &&
              extend(certificate.get(), NID_subject_alt_name, alternative_names(names)) &&
              X509_sign(certificate.get(), key, EVP_sha256()) > 0;
  return made ? std::move(certificate) : nullptr;
}

std::string_view bytes_of(BIO* memory) {
  char* bytes = nullptr;
  long length = BIO_get_mem_data(memory, &bytes);
  return {bytes, static_cast<std::size_t>(length)};
}

Result<void, IoError> write_file(const std::string& path, mode_t mode, BIO* memory) {
  Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  std::string_view bytes = bytes_of(memory);
  if (file && ::write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) &&
      ::fsync(file.get()) == 0)
    return {};
  return fail(IoErrorKind::tls_setup, cat(path, " cannot be written: ", os_error_text(errno)));
}

}  // namespace

Result<SelfSigned, IoError> make_self_signed(const std::string& directory,
                                             const std::vector<std::string>& names,
                                             std::chrono::days lifetime) {
  KeyPtr key(EVP_EC_gen("P-256"));
  CertificatePtr certificate = key ? make_certificate(key.get(), names, lifetime) : nullptr;
  if (!certificate) return openssl_failure("no certificate can be made");
  MemoryBio cert_text(BIO_new(BIO_s_mem()));
  MemoryBio key_text(BIO_new(BIO_s_secmem()));
  if (PEM_write_bio_X509(cert_text.get(), certificate.get()) != 1 ||
      PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return openssl_failure("the certificate cannot be written");
  SelfSigned made{cat(directory, "/cert.pem"), cat(directory, "/key.pem"), fingerprint_of(certificate.get())};
  auto written = write_file(made.cert_file, 0644, cert_text.get());
  if (written) written = write_file(made.key_file, 0600, key_text.get());
  if (!written) return std::unexpected(written.error());
  return made;
}

}  // namespace hikyaku::io
