// SPDX-License-Identifier: MIT
// One request to a provider: a form by POST, and what came back. Behind an interface, so that tests need
// neither network nor time. The real one speaks HTTP/1.1 over TLS that it verifies; it follows no redirect,
// since the form holds secrets, and has 30 s and 64 KiB for all of it. Blocks: belongs on the pool.
// Thread-safe.
#pragma once

#include <optional>
#include <string>

#include "daemon/base/clock.h"
#include "daemon/base/error.h"
#include "daemon/base/secret.h"

namespace hikyaku::oauth {

inline constexpr std::size_t kLargestAnswer = 64 * 1024;

struct EndpointRequest {
  std::string url;  // https, or http on loopback (config::is_safe_url)
  Secret form;      // application/x-www-form-urlencoded
  std::string proxy;
  std::string ca_file;  // empty: the system's
};

struct EndpointAnswer {
  int status = 0;
  Secret body;
  std::optional<Duration> retry_after;
};

class TokenEndpoint {
 public:
  virtual ~TokenEndpoint() = default;
  // Any HTTP status is an answer. The error says in plain words why there was none.
  virtual Result<EndpointAnswer, std::string> post(const EndpointRequest& request) = 0;
};

class HttpsEndpoint final : public TokenEndpoint {
 public:
  // The tests' are shorter.
  explicit HttpsEndpoint(Duration limit = 30s) : limit_(limit) {}
  Result<EndpointAnswer, std::string> post(const EndpointRequest& request) override;

 private:
  Duration limit_;
};

}  // namespace hikyaku::oauth
