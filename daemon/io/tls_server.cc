// SPDX-License-Identifier: MIT
// The server half of tls.h. A key with a pass phrase is refused: nobody is there to type it.
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

// The key cannot be read, or is another certificate's.
std::unexpected<IoError> key_error(const std::string& cert_file, const std::string& key_file) {
  const unsigned long first = ERR_peek_error();
  const bool is_of_another =
      ERR_GET_LIB(first) == ERR_LIB_X509 || ERR_GET_REASON(first) == SSL_R_NO_CERTIFICATE_ASSIGNED;
  if (!is_of_another) return setup_error(key_file);
  drain_openssl_errors();
  return fail(IoErrorKind::tls_setup, cat(key_file, " is not the key of the certificate in ", cert_file));
}

int no_pass_phrase(char*, int, int, void*) { return 0; }

}  // namespace

Result<std::shared_ptr<TlsServer>, IoError> TlsServer::create(std::string cert_file, std::string key_file) {
  SslContextPtr context(SSL_CTX_new(TLS_server_method()));
  check(context != nullptr, "no memory for TLS");
  ERR_clear_error();
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_default_passwd_cb(context.get(), no_pass_phrase);
  if (SSL_CTX_use_certificate_chain_file(context.get(), cert_file.c_str()) != 1)
    return setup_error(cert_file);
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1)
    return key_error(cert_file, key_file);
  constexpr unsigned char kSessionScope[] = "hikyaku";
  SSL_CTX_set_session_id_context(context.get(), kSessionScope, sizeof kSessionScope - 1);
  return std::make_shared<Server>(std::move(context));
}

std::string TlsServer::trouble_with(const std::string& cert_file, const std::string& key_file) {
  auto server = create(cert_file, key_file);
  return server ? "" : server.error().text;
}

}  // namespace hikyaku::io
