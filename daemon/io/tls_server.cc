// SPDX-License-Identifier: MIT
// The server half of tls.h, for `hikyaku sink` and for tests.
#include <openssl/err.h>

#include <utility>

#include "daemon/base/error.h"
#include "daemon/base/text.h"
#include "daemon/io/tls.h"
#include "daemon/io/tls_errors.h"
#include "daemon/io/tls_stream.h"

namespace hikyaku::io {
namespace {

class Server final : public TlsServer {
 public:
  explicit Server(SslContextPtr context) : context_(std::move(context)) {}

  Task<Result<StreamPtr, IoError>> accept(StreamPtr under, Until until) override {
    SslPtr ssl(SSL_new(context_.get()));
    check(ssl != nullptr, "no memory for TLS");
    SSL_set_accept_state(ssl.get());
    auto stream = std::make_unique<TlsStream>(std::move(under), std::move(ssl));
    auto shaken = co_await stream->shake_hands(until);
    if (!shaken) co_return std::unexpected(shaken.error());
    stream->set_info({.version = SSL_get_version(stream->ssl()),
                      .cipher = SSL_get_cipher_name(stream->ssl()),
                      .verified = false,
                      .verdict = {},
                      .fingerprint = {},
                      .resumed = SSL_session_reused(stream->ssl()) == 1});
    co_return stream;
  }

 private:
  SslContextPtr context_;
};

std::unexpected<IoError> setup_error(const std::string& file) {
  return fail(IoErrorKind::tls_setup, cat(file, " cannot be used: ", drain_openssl_errors()));
}

}  // namespace

Result<std::shared_ptr<TlsServer>, IoError> TlsServer::create(std::string cert_file, std::string key_file) {
  SslContextPtr context(SSL_CTX_new(TLS_server_method()));
  check(context != nullptr, "no memory for TLS");
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  if (SSL_CTX_use_certificate_chain_file(context.get(), cert_file.c_str()) != 1)
    return setup_error(cert_file);
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return setup_error(key_file);
  constexpr unsigned char kSessionScope[] = "hikyaku";
  SSL_CTX_set_session_id_context(context.get(), kSessionScope, sizeof kSessionScope - 1);
  return std::make_shared<Server>(std::move(context));
}

}  // namespace hikyaku::io
