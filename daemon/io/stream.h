// SPDX-License-Identifier: MIT
// The one interface that SMTP code sees of a connection. TCP, Unix socket, TLS over either and an in-memory
// pair implement it. One reader and one writer at a time. Destroying a stream closes it; none of its
// operations may be under way then.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "daemon/base/clock.h"
#include "daemon/base/io_error.h"
#include "daemon/base/ip.h"
#include "daemon/base/task.h"
#include "daemon/io/wait.h"

namespace hikyaku::io {

// A TLS connection's parameters; for log lines and Received.
struct TlsInfo {
  std::string version;      // "TLSv1.3"
  std::string cipher;       // "TLS_AES_256_GCM_SHA384"
  bool verified = false;    // chain and name, or the pin
  std::string verdict;      // "verified", or why not in a few words
  std::string fingerprint;  // "sha256:" and 64 hex digits
  bool resumed = false;
  std::optional<WallTime> certificate_ends{};
  // Why the certificate is not believed, where it need not be (`tls_verify: false`); nullopt: it is.
  std::optional<IoErrorKind> fault{};
  CertificateFactsPtr certificate{};  // only where TlsClientOptions::describe asks
};

class Stream {
 public:
  virtual ~Stream() = default;

  // At least one byte, at most into.size(). The end of input is the error `eof`. `into` lives until then.
  virtual Task<Result<std::size_t, IoError>> read_some(std::span<char> into, Until until) = 0;
  // All of it. `bytes` lives until then. After an error the stream is good for reading only.
  virtual Task<Result<void, IoError>> write(std::string_view bytes, Until until) = 0;
  // Ends our direction (FIN; in TLS close_notify). Reading is still possible.
  virtual Task<Result<void, IoError>> shut_down(Until until) = 0;

  virtual std::optional<Endpoint> peer() const = 0;  // nullopt: a Unix socket
  virtual std::optional<Endpoint> local() const = 0;
  // The name by which the peer was looked up; empty: not known.
  virtual std::string_view peer_name() const { return {}; }
  // The peer of a Unix socket as the kernel noted it at connect; nullopt if this is no Unix socket.
  virtual std::optional<std::uint32_t> peer_uid() const { return std::nullopt; }
  virtual const TlsInfo* tls() const { return nullptr; }
};

using StreamPtr = std::unique_ptr<Stream>;

}  // namespace hikyaku::io
