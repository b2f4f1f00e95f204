// SPDX-License-Identifier: MIT
#include "daemon/io/certificate.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "daemon/base/ip.h"
#include "daemon/base/text.h"
#include "daemon/io/tls_stream.h"

namespace hikyaku::io {
namespace {

constexpr std::size_t kMostNames = 20;
constexpr std::size_t kLongestText = 255;

using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;
using BioPtr = std::unique_ptr<BIO, Freed<BIO_free>>;

std::string bytes_of(const ASN1_STRING* text) {
  const unsigned char* data = ASN1_STRING_get0_data(text);
  auto length = std::min(static_cast<std::size_t>(ASN1_STRING_length(text)), kLongestText);
  return {reinterpret_cast<const char*>(data), length};
}

std::optional<std::string> name_in(const GENERAL_NAME* name) {
  if (name->type == GEN_DNS) return bytes_of(name->d.dNSName);
  if (name->type != GEN_IPADD) return std::nullopt;
  const ASN1_OCTET_STRING* address = name->d.iPAddress;
  const int length = ASN1_STRING_length(address);
  if (length != 4 && length != 16) return std::nullopt;
  return IpAddress::from_bytes(ASN1_STRING_get0_data(address), length == 16).to_text();
}

void add_names(const X509* certificate, CertificateFacts& facts) {
  GeneralNamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    auto name = name_in(sk_GENERAL_NAME_value(names.get(), i));
    if (!name) continue;
    if (facts.names.size() < kMostNames)
      facts.names.push_back(std::move(*name));
    else
      ++facts.more_names;
  }
}

std::string common_name_of(const X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int place = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  return place < 0 ? "" : bytes_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, place)));
}

// Without OpenSSL's own escapes: there are ours.
std::string text_of(const X509_NAME* name) {
  constexpr unsigned long kForm =
      XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_DN_REV | XN_FLAG_FN_SN | ASN1_STRFLGS_UTF8_CONVERT;
  BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || X509_NAME_print_ex(bio.get(), name, 0, kForm) < 0) return {};
  char* text = nullptr;
  long length = BIO_get_mem_data(bio.get(), &text);
  return {text, std::min(static_cast<std::size_t>(std::max(length, 0L)), kLongestText)};
}

std::optional<WallTime> wall_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return WallTime(std::chrono::seconds(::timegm(&parts)));
}

// ---- what was refused travels with the SSL object

void forget(void*, void* facts, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<CertificateFactsPtr*>(facts);
}

int place_for_facts() {
  static const int kPlace = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, forget);
  return kPlace;
}

// OpenSSL calls this for each certificate of the chain; nothing that it has found wrong is forgiven.
int note_refusal(int is_good, X509_STORE_CTX* context) {
  if (is_good == 1) return is_good;
  auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const X509* certificate = X509_STORE_CTX_get0_cert(context);
  if (certificate == nullptr || SSL_get_ex_data(ssl, place_for_facts()) != nullptr) return is_good;
  const X509* faulty = X509_STORE_CTX_get_current_cert(context);
  auto facts =
      std::make_unique<CertificateFactsPtr>(facts_of(certificate, faulty != nullptr ? faulty : certificate));
  if (SSL_set_ex_data(ssl, place_for_facts(), facts.get()) == 1) static_cast<void>(facts.release());
  return is_good;
}

}  // namespace

std::string fingerprint_of(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &length) != 1) return {};
  return cat("sha256:", to_hex(std::span(digest).first(length)));
}

CertificateFactsPtr facts_of(const X509* certificate, const X509* faulty) {
  CertificateFacts facts;
  add_names(certificate, facts);
  facts.common_name = common_name_of(certificate);
  facts.fingerprint = fingerprint_of(certificate);
  facts.issuer = text_of(X509_get_issuer_name(faulty));
  if (X509_cmp(certificate, faulty) != 0) facts.faulty = text_of(X509_get_subject_name(faulty));
  facts.not_before = wall_time(X509_get0_notBefore(faulty));
  facts.not_after = wall_time(X509_get0_notAfter(faulty));
  return std::make_shared<const CertificateFacts>(std::move(facts));
}

void demand_verified_peer(SSL* ssl) { SSL_set_verify(ssl, SSL_VERIFY_PEER, note_refusal); }

CertificateFactsPtr refused_certificate(const SSL* ssl) {
  auto* facts = static_cast<CertificateFactsPtr*>(SSL_get_ex_data(ssl, place_for_facts()));
  return facts != nullptr ? *facts : nullptr;
}

}  // namespace hikyaku::io
