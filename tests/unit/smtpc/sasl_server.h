// SPDX-License-Identifier: MIT
// Cyrus' server side with one account: user "me", password "pass word". One process-wide initialisation.
#pragma once

#include <sasl/sasl.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace hikyaku::test {

class SaslServer {
 public:
  SaslServer();
  ~SaslServer();
  SaslServer(const SaslServer&) = delete;

  // The next challenge, perhaps the last one with data on success; nothing: the end, good or bad.
  std::optional<std::string> start(const std::string& mechanism, const std::optional<std::string>& initial);
  std::optional<std::string> step(std::string_view response);
  bool is_complete() const { return complete_; }
  std::string user() const;  // empty unless complete

 private:
  std::optional<std::string> after(int code, const char* out, unsigned length);

  sasl_conn_t* connection_ = nullptr;
  bool complete_ = false;
};

}  // namespace hikyaku::test
