// SPDX-License-Identifier: MIT
// The client half of tls.h: settings once for each smarthost, verification, session resumption.
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <iterator>
#include <utility>

#include "daemon/base/error.h"
#include "daemon/base/text.h"
#include "daemon/io/certificate.h"
#include "daemon/io/memory_stream.h"
#include "daemon/io/tls.h"
#include "daemon/io/tls_errors.h"
#include "daemon/io/tls_stream.h"

namespace hikyaku::io {
namespace {

constexpr std::size_t kSessions = 32;  // of all names; about as many as connections to a smarthost

constexpr const char* kBundles[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                    "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};

int protocol_number(TlsVersion version) {
  switch (version) {
    case TlsVersion::tls1_0: return TLS1_VERSION;
    case TlsVersion::tls1_1: return TLS1_1_VERSION;
    case TlsVersion::tls1_2: return TLS1_2_VERSION;
    case TlsVersion::tls1_3: break;
  }
  return TLS1_3_VERSION;
}

std::unexpected<IoError> setup_error(std::string_view what, const std::string& file) {
  return fail(IoErrorKind::tls_setup, cat(what, " ", file, " cannot be used: ", drain_openssl_errors()));
}

// The root's dot is in no certificate.
std::string without_dot(std::string name) {
  while (name.ends_with('.')) name.pop_back();
  return name;
}

// As it was sent; empty for an address, and where there is no name.
std::string sni_of(SSL* ssl) {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? "" : name;
}

// Up to the root where it was verified, else as the server sent it.
STACK_OF(X509) * chain_of(const SSL* ssl) {
  STACK_OF(X509)* verified = SSL_get0_verified_chain(ssl);
  return verified != nullptr ? verified : SSL_get_peer_cert_chain(ssl);
}

class Client final : public TlsClient {
 public:
  Client(TlsClientOptions options, SslContextPtr context)
      : options_(std::move(options)), context_(std::move(context)) {
    options_.name = without_dot(std::move(options_.name));
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context_.get(), keep_session);
    SSL_CTX_set_app_data(context_.get(), this);
  }
  // Connections may outlive us and still receive tickets.
  ~Client() override { SSL_CTX_sess_set_new_cb(context_.get(), nullptr); }

  Task<Result<StreamPtr, IoError>> connect(StreamPtr under, Until until, std::string name) override;

 private:
  static int keep_session(SSL* ssl, SSL_SESSION* session);
  struct KeptSession {
    std::string name;  // sni_of()
    SslSessionPtr session;
  };

  SslPtr make_ssl(const std::string& name);
  SslSessionPtr take_session(const std::string& sni);
  void forget_sessions(const std::string& sni);
  Result<void, IoError> accept_peer(TlsStream& stream, const std::string& name, bool resumed);

  TlsClientOptions options_;
  SslContextPtr context_;
  std::deque<KeptSession> sessions_;  // TLS 1.3 tickets are used once
};

int Client::keep_session(SSL* ssl, SSL_SESSION* session) {
  auto* self = static_cast<Client*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  if (self->sessions_.size() == kSessions) self->sessions_.pop_front();
  self->sessions_.push_back({sni_of(ssl), SslSessionPtr(session)});
  return 1;  // it is ours now
}

// The newest.
SslSessionPtr Client::take_session(const std::string& sni) {
  auto kept = std::ranges::find(sessions_.rbegin(), sessions_.rend(), sni, &KeptSession::name);
  if (kept == sessions_.rend()) return nullptr;
  SslSessionPtr newest = std::move(kept->session);
  sessions_.erase(std::next(kept).base());
  return newest;
}

void Client::forget_sessions(const std::string& sni) {
  std::erase_if(sessions_, [&](const KeptSession& kept) { return kept.name == sni; });
}

SslPtr Client::make_ssl(const std::string& name) {
  SslPtr ssl(SSL_new(context_.get()));
  check(ssl != nullptr, "no memory for TLS");
  SSL_set_connect_state(ssl.get());
  X509_VERIFY_PARAM* param = SSL_get0_param(ssl.get());
  X509_VERIFY_PARAM_set_hostflags(param,
                                  X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (IpAddress::parse(name)) {
    X509_VERIFY_PARAM_set1_ip_asc(param, name.c_str());
  } else if (!name.empty()) {
    X509_VERIFY_PARAM_set1_host(param, name.data(), name.size());
    SSL_set_tlsext_host_name(ssl.get(), name.c_str());
  }
  SSL_set_verify(ssl.get(), SSL_VERIFY_NONE, nullptr);
  if (options_.verify && options_.fingerprint.empty()) demand_verified_peer(ssl.get());
  return ssl;
}

// Everything that must hold of the peer, on a resumed session too.
Result<void, IoError> Client::accept_peer(TlsStream& stream, const std::string& name, bool resumed) {
  X509Ptr certificate(SSL_get1_peer_certificate(stream.ssl()));
  long verified = certificate ? SSL_get_verify_result(stream.ssl()) : X509_V_ERR_UNSPECIFIED;
  TlsInfo info;
  info.version = SSL_get_version(stream.ssl());
  info.cipher = SSL_get_cipher_name(stream.ssl());
  info.resumed = resumed;
  if (certificate) info.fingerprint = fingerprint_of(certificate.get());
  if (certificate) info.certificate_ends = end_of(certificate.get());
  auto facts = [&] {
    return certificate ? facts_of(certificate.get(), certificate.get(), chain_of(stream.ssl())) : nullptr;
  };
  bool pinned = !options_.fingerprint.empty() && info.fingerprint == options_.fingerprint;
  if (!options_.fingerprint.empty() && !pinned)
    return std::unexpected(IoError(
        IoErrorKind::tls_pin_mismatch,
        cat("the certificate's fingerprint is ", info.fingerprint, ", not the configured one"), facts()));
  if (options_.fingerprint.empty() && options_.verify && verified != X509_V_OK)
    return std::unexpected(verify_error(verified, name, facts()));
  info.verified = pinned || verified == X509_V_OK;
  info.verdict = info.verified ? "verified" : cat("unverified: ", X509_verify_cert_error_string(verified));
  if (pinned) info.verdict = "pinned";
  if (!info.verified) info.fault = verify_error(verified, name, nullptr).kind;
  if (options_.describe) info.certificate = facts();
  stream.set_info(std::move(info));
  return {};
}

Task<Result<StreamPtr, IoError>> Client::connect(StreamPtr under, Until until, std::string name) {
  name = name.empty() ? options_.name : without_dot(std::move(name));
  auto stream = std::make_unique<TlsStream>(std::move(under), make_ssl(name));
  const std::string sni = sni_of(stream->ssl());
  SslSessionPtr session = take_session(sni);
  if (session) SSL_set_session(stream->ssl(), session.get());
  auto shaken = co_await stream->shake_hands(until);
  if (!shaken) {
    forget_sessions(sni);
    co_return std::unexpected(shaken.error());
  }
  bool resumed = SSL_session_reused(stream->ssl()) == 1;
  auto accepted = accept_peer(*stream, name, resumed);
  if (!accepted) {
    forget_sessions(sni);
    co_return std::unexpected(accepted.error());
  }
  if (resumed && SSL_version(stream->ssl()) < TLS1_3_VERSION) sessions_.push_back({sni, std::move(session)});
  co_return stream;
}

Result<void, IoError> load_trust(SSL_CTX* context, const std::string& ca_file) {
  if (!ca_file.empty()) {
    if (SSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr) == 1) return {};
    return setup_error("tls_ca_file", ca_file);
  }
  SSL_CTX_set_default_verify_paths(context);
  for (const char* bundle : kBundles) {
    if (::access(bundle, R_OK) != 0) continue;
    SSL_CTX_load_verify_locations(context, bundle, nullptr);
    break;
  }
  ERR_clear_error();
  return {};
}

Result<void, IoError> load_client_certificate(SSL_CTX* context, const TlsClientOptions& options) {
  if (options.client_cert.empty()) return {};
  if (SSL_CTX_use_certificate_chain_file(context, options.client_cert.c_str()) != 1)
    return setup_error("tls_client_cert's cert", options.client_cert);
  if (SSL_CTX_use_PrivateKey_file(context, options.client_key.c_str(), SSL_FILETYPE_PEM) != 1)
    return setup_error("tls_client_cert's key", options.client_key);
  return {};
}

}  // namespace

Result<std::shared_ptr<TlsClient>, IoError> TlsClient::create(TlsClientOptions options) {
  SslContextPtr context(SSL_CTX_new(TLS_client_method()));
  check(context != nullptr, "no memory for TLS");
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_min_proto_version(context.get(), protocol_number(options.min_version));
  if (options.min_version < TlsVersion::tls1_2) SSL_CTX_set_cipher_list(context.get(), "DEFAULT@SECLEVEL=0");
  if (options.fingerprint.empty()) {  // without `verify` for the verdict alone
    auto trusted = load_trust(context.get(), options.ca_file);
    if (!trusted && options.verify) return std::unexpected(trusted.error());
  }
  auto loaded = load_client_certificate(context.get(), options);
  if (!loaded) return std::unexpected(loaded.error());
  return std::make_shared<Client>(std::move(options), std::move(context));
}

std::string make_client_hello(const std::string& name) {
  SslContextPtr context(SSL_CTX_new(TLS_client_method()));
  SslPtr ssl(SSL_new(context.get()));
  check(ssl != nullptr, "no memory for TLS");
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), out);
  SSL_set_connect_state(ssl.get());
  if (!IpAddress::parse(name)) SSL_set_tlsext_host_name(ssl.get(), name.c_str());
  SSL_do_handshake(ssl.get());
  ERR_clear_error();
  char* bytes = nullptr;
  long length = BIO_get_mem_data(out, &bytes);
  return std::string(bytes, static_cast<std::size_t>(length));
}

// A record of type handshake (22) or alert (21), version 3.x. An answer of fewer bytes than three cannot be
// told.
bool looks_like_tls(std::string_view bytes) {
  if (bytes.empty() || (bytes[0] != '\x16' && bytes[0] != '\x15')) return false;
  return (bytes.size() < 2 || bytes[1] == '\x03') && (bytes.size() < 3 || bytes[2] <= '\x04');
}

}  // namespace hikyaku::io
