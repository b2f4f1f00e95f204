// SPDX-License-Identifier: MIT
// OAuth2 at one smarthost: what the configuration says of it (`oauth`), and what a failure may tell. Plain
// values without a secret: client secrets and keys are in files that are read when they are needed, tokens
// are daemon/oauth's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace hikyaku::mail {

// How a token is come by.
enum class OAuthFlow : std::uint8_t {
  login,               // somebody has consented (`hikyaku oauth login`); the refresh token is kept
  client_credentials,  // the application itself may send (RFC 6749 4.4)
  service_account,     // Google's: a signed assertion for `user` (RFC 7523)
  command              // a program prints it
};

enum class OAuthProvider : std::uint8_t { google, microsoft, fastmail, custom };

// Complete: what a provider sets is filled in.
struct OAuthSettings {
  OAuthProvider provider = OAuthProvider::custom;
  OAuthFlow flow = OAuthFlow::login;
  std::string tenant;              // Microsoft's
  std::string client_id;           // empty with service_account and command
  std::string client_secret_file;  // empty: a public client
  std::string client_cert;         // files, for an assertion instead of a secret; both or neither
  std::string client_key;
  std::string service_account_file;
  std::vector<std::string> command;  // the program's path, then its arguments
  std::string token_url;
  std::string authorize_url;  // empty, here and below: the provider has none
  std::string device_url;
  std::string revoke_url;
  std::string
      issuer;  // must be `iss` in the answer to the browser, if that has one (RFC 9207); may have {tenantid}
  std::string scope;
  std::string proxy;    // "http://HOST:PORT"
  std::string ca_file;  // for the URLs; empty: the system's
  bool operator==(const OAuthSettings&) const = default;
};

// For the words of a diagnosis.
struct OAuthFacts {
  OAuthProvider provider = OAuthProvider::custom;
  OAuthFlow flow = OAuthFlow::login;
  std::string wanted_scope{};    // of the smarthost's refusal
  std::string granted_scope{};   // of the token
  std::string file{};            // the one that has to change: of the client secret, say
  std::int64_t age_seconds = 0;  // of the consent; 0: unknown
};
using OAuthFactsPtr = std::shared_ptr<const OAuthFacts>;

}  // namespace hikyaku::mail
