// SPDX-License-Identifier: MIT
#include "daemon/io/tls_stream.h"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/base/error.h"
#include "daemon/io/tls_errors.h"

namespace hikyaku::io {
namespace {

constexpr std::size_t kChunk = 16384;  // a TLS record
constexpr std::size_t kFirstBytes = 128;

IoError record_error() {
  std::string detail = drain_openssl_errors();
  return {IoErrorKind::tls_failed,
          detail.empty() ? "the TLS connection broke" : "the TLS connection broke (" + detail + ")"};
}

}  // namespace

TlsStream::TlsStream(StreamPtr under, SslPtr ssl)
    : under_(std::move(under)), ssl_(std::move(ssl)), in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())) {
  check(ssl_ != nullptr && in_ != nullptr && out_ != nullptr, "no memory for TLS");
  BIO_set_mem_eof_return(in_, -1);  // empty means: not yet
  SSL_set_bio(ssl_.get(), in_, out_);
}

// OpenSSL takes a connection that ends without close_notify for a broken one and its session for unfit to be
// resumed. SMTP servers end so all the time, after the QUIT that says the same.
TlsStream::~TlsStream() { SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN); }

Task<Result<void, IoError>> TlsStream::flush(Until until) {
  char* bytes = nullptr;
  long length = BIO_get_mem_data(out_, &bytes);
  if (length <= 0) co_return Result<void, IoError>{};
  std::string pending(bytes, static_cast<std::size_t>(length));
  BIO_reset(out_);
  auto written = co_await under_->write(pending, until);
  co_return written;
}

Task<Result<void, IoError>> TlsStream::receive(Until until) {
  std::array<char, kChunk> chunk;
  auto got = co_await under_->read_some(chunk, until);
  if (!got) co_return std::unexpected(got.error());
  if (first_bytes_.size() < kFirstBytes)
    first_bytes_.append(chunk.data(), std::min(*got, kFirstBytes - first_bytes_.size()));
  BIO_write(in_, chunk.data(), static_cast<int>(*got));
  co_return Result<void, IoError>{};
}

Task<Result<void, IoError>> TlsStream::shake_hands(Until until) {
  for (;;) {
    ERR_clear_error();
    int done = SSL_do_handshake(ssl_.get());
    int why = SSL_get_error(ssl_.get(), done);
    std::optional<IoError> error;
    if (done != 1 && why != SSL_ERROR_WANT_READ) error = handshake_error(ssl_.get(), first_bytes_);
    auto flushed = co_await flush(until);  // after a failure: the alert that tells the peer
    if (error) co_return std::unexpected(*error);
    if (!flushed) co_return std::unexpected(flushed.error());
    if (done == 1) co_return Result<void, IoError>{};
    auto received = co_await receive(until);
    if (!received) co_return std::unexpected(received.error());
  }
}

Task<Result<std::size_t, IoError>> TlsStream::read_some(std::span<char> into, Until until) {
  for (;;) {
    ERR_clear_error();
    std::size_t got = 0;
    int done = SSL_read_ex(ssl_.get(), into.data(), into.size(), &got);
    if (done == 1) co_return got;
    int why = SSL_get_error(ssl_.get(), done);
    if (why == SSL_ERROR_ZERO_RETURN) co_return fail(IoErrorKind::eof, "the peer closed the connection");
    if (why != SSL_ERROR_WANT_READ) co_return std::unexpected(record_error());
    if (!is_writing_) {  // else the writer takes a key update's answer along
      auto flushed = co_await flush(until);
      if (!flushed) co_return std::unexpected(flushed.error());
    }
    auto received = co_await receive(until);
    if (!received) co_return std::unexpected(received.error());
  }
}

Task<Result<void, IoError>> TlsStream::write(std::string_view bytes, Until until) {
  is_writing_ = true;
  Result<void, IoError> result;
  while (result && !bytes.empty()) {
    ERR_clear_error();
    std::size_t taken = 0;
    std::size_t piece = std::min(bytes.size(), 4 * kChunk);
    for (std::size_t at = 0; at < piece; at += taken) {
      if (SSL_write_ex(ssl_.get(), bytes.data() + at, std::min(kChunk, piece - at), &taken) == 1) continue;
      result = std::unexpected(record_error());
      break;
    }
    bytes.remove_prefix(piece);
    auto flushed = co_await flush(until);
    if (result && !flushed) result = std::unexpected(flushed.error());
  }
  is_writing_ = false;
  co_return result;
}

Task<Result<void, IoError>> TlsStream::shut_down(Until until) {
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  auto flushed = co_await flush(until);
  if (!flushed) co_return std::unexpected(flushed.error());
  auto shut = co_await under_->shut_down(until);
  co_return shut;
}

}  // namespace hikyaku::io
