// SPDX-License-Identifier: MIT
#include "daemon/io/certificate.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include "daemon/base/ip.h"
#include "daemon/base/text.h"
#include "daemon/io/tls_stream.h"

namespace hikyaku::io {
namespace {

constexpr std::size_t kMostNames = 20;
constexpr int kLongestChain = 10;
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

ChainLink link_of(const X509* certificate) {
  return {.subject = text_of(X509_get_subject_name(certificate)),
          .issuer = text_of(X509_get_issuer_name(certificate)),
          .not_before = wall_time(X509_get0_notBefore(certificate)),
          .not_after = end_of(certificate)};
}

}  // namespace

std::string fingerprint_of(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &length) != 1) return {};
  return cat("sha256:", to_hex(std::span(digest).first(length)));
}

std::optional<WallTime> end_of(const X509* certificate) { return wall_time(X509_get0_notAfter(certificate)); }

CertificateFactsPtr facts_of(const X509* certificate, const X509* faulty, const STACK_OF(X509) * chain) {
  CertificateFacts facts;
  add_names(certificate, facts);
  facts.common_name = common_name_of(certificate);
  facts.fingerprint = fingerprint_of(certificate);
  facts.issuer = text_of(X509_get_issuer_name(faulty));
  if (X509_cmp(certificate, faulty) != 0) facts.faulty = text_of(X509_get_subject_name(faulty));
  facts.not_before = wall_time(X509_get0_notBefore(faulty));
  facts.not_after = end_of(faulty);
  for (int i = 0; i < std::min(sk_X509_num(chain), kLongestChain); ++i)
    facts.chain.push_back(link_of(sk_X509_value(chain, i)));
  return std::make_shared<const CertificateFacts>(std::move(facts));
}

}  // namespace hikyaku::io
