// SPDX-License-Identifier: MIT
// A private key that signs mail: RSA (RFC 6376) or Ed25519 (RFC 8463). Never changes, so that any
// number of threads may sign with it at the same time. Errors and names hold nothing of the key.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/base/error.h"
#include "daemon/base/secret.h"
#include "daemon/io/private_key.h"

namespace hikyaku::dkim {

enum class KeyKind : std::uint8_t { rsa, ed25519 };
std::string_view to_text(KeyKind kind);    // "RSA", "Ed25519"
std::string_view name_of(KeyKind kind);    // k= in a record: "rsa", "ed25519"
std::string_view algorithm(KeyKind kind);  // a= in a signature: "rsa-sha256"

inline constexpr unsigned kLeastBits = 1024;  // of RSA; RFC 8301 3.2: receivers take nothing shorter
inline constexpr unsigned kGoodBits = 2048;   // RFC 8301: should be used
inline constexpr unsigned kMostBits = 8192;   // beyond, nobody verifies, and a signature takes too long

class SigningKey {
 public:
  // PEM: PKCS#8, or PKCS#1 of RSA. Never asks for a passphrase. The error says what is wrong with the file.
  static Result<SigningKey, std::string> parse(std::string_view pem);
  // RSA has kGoodBits. Takes a second, or more. The error is OpenSSL's.
  static Result<SigningKey, std::string> generate(KeyKind kind);

  KeyKind kind() const { return kind_; }
  unsigned bits() const { return key_.bits(); }
  // What stands in a record's p=, before Base64.
  std::string public_key() const;
  // PKCS#8 in PEM.
  Secret to_pem() const;

  // The signature's bytes over a canonical text; nullopt if OpenSSL's configuration forbids it. RSA takes about
  // a millisecond of a processor.
  std::optional<std::string> sign(std::string_view text) const;

 private:
  SigningKey(io::PrivateKey key, KeyKind kind) : key_(std::move(key)), kind_(kind) {}

  io::PrivateKey key_;
  KeyKind kind_;
};

// "RSA, 2048 bits", "Ed25519".
std::string describe(const SigningKey& key);

// SHA-256 of what is fed, piece by piece.
class Sha256 {
 public:
  Sha256();
  Sha256(const Sha256&) = delete;
  ~Sha256();
  void feed(std::string_view bytes);
  std::string finish();  // 32 bytes; once

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hikyaku::dkim
