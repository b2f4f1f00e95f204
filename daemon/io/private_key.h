// SPDX-License-Identifier: MIT
// A private key that signs, by OpenSSL: read from PEM, RSA with SHA-256 or Ed25519. What else a key has to be, and what
// it signs, is the affair of who has it. Never changes, so that any number of threads may sign with it at the same time.
// Errors hold nothing of the key.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/error.h"

struct evp_pkey_st;

namespace hikyaku::io {

class PrivateKey {
 public:
  // PKCS#8, or PKCS#1 of RSA. Never asks for a passphrase. The error says what is wrong with the file.
  static Result<PrivateKey, std::string> parse(std::string_view pem);
  // Takes over OpenSSL's object, which is not null.
  explicit PrivateKey(evp_pkey_st* key);

  bool is_rsa() const;
  bool is_ed25519() const;
  unsigned bits() const;
  // The signature's bytes; nullopt if OpenSSL's configuration forbids it. Of RSA (PKCS#1 v1.5) over the text's SHA-256, of
  // Ed25519 over the text. RSA takes about a millisecond of a processor.
  std::optional<std::string> sign(std::string_view text) const;

  evp_pkey_st* get() const { return key_.get(); }

 private:
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace hikyaku::io
