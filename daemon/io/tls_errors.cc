// SPDX-License-Identifier: MIT
#include "daemon/io/tls_errors.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <utility>

#include "daemon/base/text.h"
#include "daemon/io/certificate.h"
#include "daemon/io/tls.h"
#include "daemon/io/tls_stream.h"

namespace hikyaku::io {
namespace {

struct Reason {
  int code;
  IoErrorKind kind;
  const char* words;
};

constexpr Reason kHandshake[] = {
    {SSL_R_DH_KEY_TOO_SMALL, IoErrorKind::tls_weak_key, "the server's Diffie-Hellman key is too small"},
    {SSL_R_EE_KEY_TOO_SMALL, IoErrorKind::tls_weak_key, "the server's certificate has too small a key"},
    {SSL_R_CA_KEY_TOO_SMALL, IoErrorKind::tls_weak_key, "the issuer's certificate has too small a key"},
    {SSL_R_CA_MD_TOO_WEAK, IoErrorKind::tls_weak_signature,
     "the server's certificate has too weak a signature"},
    {SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED, IoErrorKind::tls_legacy_renegotiation,
     "the server knows only unsafe legacy renegotiation"},
    {SSL_R_UNSUPPORTED_PROTOCOL, IoErrorKind::tls_old_protocol,
     "the server speaks only an old version of TLS"},
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, IoErrorKind::tls_old_protocol,
     "the server accepts none of our versions of TLS"},
    {SSL_R_UNSUPPORTED_SSL_VERSION, IoErrorKind::tls_old_protocol,
     "the server speaks only an old version of TLS"},
};

constexpr Reason kVerify[] = {
    {X509_V_ERR_CERT_HAS_EXPIRED, IoErrorKind::tls_expired, "the certificate has expired"},
    {X509_V_ERR_CERT_NOT_YET_VALID, IoErrorKind::tls_not_yet_valid, "the certificate is not yet valid"},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, IoErrorKind::tls_self_signed, "the certificate is self-signed"},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, IoErrorKind::tls_unknown_issuer,
     "the certificate's root is not among the trusted ones"},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, IoErrorKind::tls_unknown_issuer,
     "the certificate's issuer is unknown"},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, IoErrorKind::tls_unknown_issuer,
     "the certificate's issuer is unknown"},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, IoErrorKind::tls_unknown_issuer,
     "the certificate's issuer is unknown (an intermediate certificate may be missing)"},
    {X509_V_ERR_EE_KEY_TOO_SMALL, IoErrorKind::tls_weak_key, "the certificate has too small a key"},
    {X509_V_ERR_CA_KEY_TOO_SMALL, IoErrorKind::tls_weak_key, "the issuer's certificate has too small a key"},
    {X509_V_ERR_CA_MD_TOO_WEAK, IoErrorKind::tls_weak_signature, "the certificate has too weak a signature"},
    {X509_V_ERR_HOSTNAME_MISMATCH, IoErrorKind::tls_wrong_name, "the certificate is for another name"},
    {X509_V_ERR_IP_ADDRESS_MISMATCH, IoErrorKind::tls_wrong_name, "the certificate is not for this address"},
};

bool is_about_version(int reason) {
  return reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST ||
         reason == SSL_R_PACKET_LENGTH_TOO_LONG;
}

IoError with_detail(IoErrorKind kind, std::string_view words, const std::string& detail,
                    CertificateFactsPtr certificate = nullptr) {
  return {kind, detail.empty() ? std::string(words) : cat(words, " (", detail, ")"), std::move(certificate)};
}

// ---- what was refused travels with the SSL object

void forget(void*, void* facts, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<CertificateFactsPtr*>(facts);
}

int place_for_facts() {
  static const int kPlace = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, forget);
  return kPlace;
}

// OpenSSL calls this for each certificate of the chain; it never overrides a failed verification.
int note_refusal(int is_good, X509_STORE_CTX* context) {
  if (is_good == 1) return is_good;
  auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const X509* certificate = X509_STORE_CTX_get0_cert(context);
  if (certificate == nullptr || SSL_get_ex_data(ssl, place_for_facts()) != nullptr) return is_good;
  const X509* faulty = X509_STORE_CTX_get_current_cert(context);
  auto facts = std::make_unique<CertificateFactsPtr>(facts_of(
      certificate, faulty != nullptr ? faulty : certificate, X509_STORE_CTX_get0_untrusted(context)));
  if (SSL_set_ex_data(ssl, place_for_facts(), facts.get()) == 1) static_cast<void>(facts.release());
  return is_good;
}

}  // namespace
std::string drain_openssl_errors() {
  unsigned long first = ERR_get_error();
  while (ERR_get_error() != 0) {
  }
  if (first == 0) return {};
  const char* reason = ERR_reason_error_string(first);
  return reason != nullptr ? reason : cat("error ", std::to_string(first));
}

IoError verify_error(long result, const std::string& name, CertificateFactsPtr certificate) {
  std::string detail = X509_verify_cert_error_string(result);
  for (const Reason& row : kVerify) {
    if (row.code != result) continue;
    bool wrong_name = row.kind == IoErrorKind::tls_wrong_name;
    return with_detail(row.kind, wrong_name ? cat(row.words, ", not for ", name) : row.words, detail,
                       std::move(certificate));
  }
  return with_detail(IoErrorKind::tls_failed, "the certificate cannot be verified", detail,
                     std::move(certificate));
}

IoError handshake_error(const SSL* ssl, std::string_view first_bytes) {
  unsigned long newest = ERR_peek_last_error();
  unsigned long oldest = ERR_peek_error();
  std::string detail = drain_openssl_errors();
  int reason = ERR_GET_REASON(oldest);
  bool not_tls = !first_bytes.empty() && !looks_like_tls(first_bytes);
  if (not_tls || (is_about_version(reason) && !first_bytes.starts_with('\x15')))
    return with_detail(IoErrorKind::not_tls,
                       cat("it answered \"", printable(trim(first_bytes), 80), "\", which is no TLS"),
                       detail);
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED ||
      ERR_GET_REASON(newest) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    long result = SSL_get_verify_result(ssl);
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    return verify_error(result, name != nullptr ? name : "this address", refused_certificate(ssl));
  }
  for (const Reason& row : kHandshake)
    if (row.code == reason) return with_detail(row.kind, row.words, detail);
  if (is_about_version(reason))
    return with_detail(IoErrorKind::tls_old_protocol, "the versions of TLS do not fit", detail);
  return with_detail(IoErrorKind::tls_failed, "the TLS handshake failed", detail);
}

void demand_verified_peer(SSL* ssl) { SSL_set_verify(ssl, SSL_VERIFY_PEER, note_refusal); }

CertificateFactsPtr refused_certificate(const SSL* ssl) {
  auto* facts = static_cast<CertificateFactsPtr*>(SSL_get_ex_data(ssl, place_for_facts()));
  return facts != nullptr ? *facts : nullptr;
}

}  // namespace hikyaku::io
