// SPDX-License-Identifier: MIT
// An SSL object over memory BIOs and a stream: moves bytes between the two. Internal to daemon/io;
// tls_client.cc and tls_server.cc make them.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "daemon/io/stream.h"

namespace hikyaku::io {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using SslContextPtr = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, Freed<SSL_free>>;
using X509Ptr = std::unique_ptr<X509, Freed<X509_free>>;
using SslSessionPtr = std::unique_ptr<SSL_SESSION, Freed<SSL_SESSION_free>>;

class TlsStream final : public Stream {
 public:
  // `ssl` has its role (connect or accept) and settings; the BIOs are made here.
  TlsStream(StreamPtr under, SslPtr ssl);
  ~TlsStream() override;

  // Errors: those of the stream below, and TLS's.
  Task<Result<void, IoError>> shake_hands(Until until);
  SSL* ssl() { return ssl_.get(); }
  void set_info(TlsInfo info) { info_ = std::move(info); }

  Task<Result<std::size_t, IoError>> read_some(std::span<char> into, Until until) override;
  Task<Result<void, IoError>> write(std::string_view bytes, Until until) override;
  Task<Result<void, IoError>> shut_down(Until until) override;
  std::optional<Endpoint> peer() const override { return under_->peer(); }
  std::optional<Endpoint> local() const override { return under_->local(); }
  std::string_view peer_name() const override { return under_->peer_name(); }
  const TlsInfo* tls() const override { return &info_; }

 private:
  Task<Result<void, IoError>> flush(Until until);    // what OpenSSL wants to send
  Task<Result<void, IoError>> receive(Until until);  // one read from below into OpenSSL

  StreamPtr under_;
  SslPtr ssl_;
  BIO* in_;  // owned by ssl_
  BIO* out_;
  std::string first_bytes_;  // of the peer, for the diagnosis
  TlsInfo info_;
  bool is_writing_ = false;
};

}  // namespace hikyaku::io
