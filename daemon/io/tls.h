// SPDX-License-Identifier: MIT
// TLS over any stream: OpenSSL with memory BIOs. The client verifies chain and name, and refuses what does not hold
// unless `verify` is false; keeps sessions for resumption, and turns OpenSSL's errors into our closed set
// (base/io_error.h): the text is plain words, with OpenSSL's own in parentheses at the end.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daemon/base/tls_facts.h"
#include "daemon/io/loop.h"
#include "daemon/io/stream.h"

namespace hikyaku::io {

struct TlsClientOptions {
  std::string name;     // DNS name or IP address to verify and (a DNS name only) to send as SNI
  bool verify = true;   // chain and name; if false, neither is enforced, but the verdict is still reported
  std::string ca_file;  // empty: the system's store
  std::string fingerprint;  // "sha256:<64 hex>" pins the certificate instead of chain and name
  TlsVersion min_version = TlsVersion::tls1_2;  // below 1.2 also lowers the security level
  std::string client_cert;
  std::string client_key;
  bool describe = false;  // keep the facts of an accepted certificate, too
};

// What is common to all connections to one smarthost: settings, CA store, session cache. One for each
// smarthost and configuration; a reload makes a new one, which drops the sessions.
class TlsClient {
 public:
  // Errors: tls_setup, with the file that cannot be used and why.
  static Result<std::shared_ptr<TlsClient>, IoError> create(TlsClientOptions options);
  virtual ~TlsClient() = default;
  // Shakes hands over `under`. On failure `under` is gone; the error says why. When the peer's first bytes
  // were no TLS, the kind is not_tls and the text quotes them, made printable.
  // `name` stands in for that of the options unless it is empty: for a domain with several servers.
  virtual Task<Result<StreamPtr, IoError>> connect(StreamPtr under, Until until, std::string name = {}) = 0;
};

class TlsServer {
 public:
  // PEM files. Errors: tls_setup.
  static Result<std::shared_ptr<TlsServer>, IoError> create(std::string cert_file, std::string key_file);
  virtual ~TlsServer() = default;
  // Why create() would fail, in words; empty: it would not.
  static std::string trouble_with(const std::string& cert_file, const std::string& key_file);
  virtual Task<Result<StreamPtr, IoError>> accept(StreamPtr under, Until until) = 0;
};

// The bytes of a ClientHello for `name` (SNI unless it is an address), to find out whether a silent port
// speaks TLS.
std::string make_client_hello(const std::string& name);
// Whether `bytes`, the first of an answer, begin a TLS handshake or alert record.
bool looks_like_tls(std::string_view bytes);

}  // namespace hikyaku::io
