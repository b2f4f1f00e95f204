// SPDX-License-Identifier: MIT
// Certificates for tests: a CA of our own and leaves with one fault each, as PEM files in a temporary
// directory. Made once a process, gone at its end.
#pragma once

#include <string>

namespace hikyaku::test {

struct CertificateFiles {
  std::string cert;
  std::string key;
  std::string fingerprint;  // "sha256:" and 64 lower-case hex digits
};

struct TestCertificates {
  std::string directory;
  std::string ca_file;
  // All but self_signed and unknown_issuer are issued by that CA; the names in them are smtp.example,
  // localhost, 127.0.0.1 and
  // ::1.
  CertificateFiles good;
  CertificateFiles expired;
  CertificateFiles not_yet_valid;
  CertificateFiles wrong_name;  // other.example only
  CertificateFiles client;      // for client authentication only
  CertificateFiles self_signed;
  CertificateFiles unknown_issuer;  // of another CA
  // Of a hostile server with the CA's blessing: other names, 3000 of them, some with bytes that no name has.
  CertificateFiles hostile;
  CertificateFiles old_chain;  // good itself, but its issuer, Old CA, has expired
};

const TestCertificates& test_certificates();

}  // namespace hikyaku::test
