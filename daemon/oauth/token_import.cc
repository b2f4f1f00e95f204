// SPDX-License-Identifier: MIT
#include "daemon/oauth/token_import.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <vector>

#include "daemon/base/base64.h"
#include "daemon/base/json_value.h"
#include "daemon/base/text.h"

namespace hikyaku::oauth {
namespace {

constexpr std::size_t kKeySize = 32;
constexpr std::size_t kHeadSize = 1 + 8 + 16;  // version, time, initial vector
constexpr std::size_t kMacSize = 32;
constexpr std::uint64_t kOldIterations = 100'000;
constexpr std::uint64_t kMostIterations = 10'000'000;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

WallTime from_unix(std::uint64_t seconds) {
  return WallTime(
      std::chrono::seconds(static_cast<std::int64_t>(std::min<std::uint64_t>(seconds, 4'000'000'000))));
}

using Section = std::map<std::string, std::string, std::less<>>;

// As Python's configparser reads it, as far as these keys go: "key = value", comments by # and ;.
Section section_of(std::string_view text, std::string_view name) {
  Section section;
  bool is_in_it = false;
  for (std::string_view line : split(text, '\n')) {
    line = trim(line.substr(0, line.find('\r')));
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    if (line[0] == '[') is_in_it = line == cat("[", name, "]");
    const auto equals = line.find('=');
    if (is_in_it && equals != line.npos)
      section.emplace(to_lower(trim(line.substr(0, equals))), trim(line.substr(equals + 1)));
  }
  return section;
}

std::string_view value_of(const Section& section, std::string_view key) {
  const auto found = section.find(key);
  return found == section.end() ? std::string_view() : std::string_view(found->second);
}

std::optional<std::string> decode(std::string_view text) {
  std::string standard(text);
  std::ranges::replace(standard, '-', '+');
  std::ranges::replace(standard, '_', '/');
  return from_base64(standard);
}

Secret derived_key(const Secret& password, std::string_view salt, std::uint64_t iterations) {
  std::string key(kKeySize, '\0');
  const std::string_view secret = password.reveal();
  const int done =
      PKCS5_PBKDF2_HMAC(secret.data(), static_cast<int>(secret.size()), bytes_of(salt),
                        static_cast<int>(salt.size()), static_cast<int>(iterations), EVP_sha256(),
                        static_cast<int>(key.size()), reinterpret_cast<unsigned char*>(key.data()));
  check(done == 1, "a key could not be derived");
  return Secret(std::move(key));
}

bool has_right_mac(std::string_view key, std::string_view sealed) {
  std::array<unsigned char, kMacSize> mac{};
  const std::string_view content = sealed.substr(0, sealed.size() - kMacSize);
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(content), content.size(), mac.data(),
       nullptr);
  return CRYPTO_memcmp(mac.data(), sealed.data() + content.size(), mac.size()) == 0;
}

std::optional<Secret> decrypt_cbc(std::string_view key, std::string_view vector, std::string_view text) {
  const auto free_it = [](EVP_CIPHER_CTX* context) { EVP_CIPHER_CTX_free(context); };
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(free_it)> context(EVP_CIPHER_CTX_new(), free_it);
  std::vector<unsigned char> plain(text.size() + 16);
  int size = 0;
  int rest = 0;
  const bool done =
      EVP_DecryptInit_ex(context.get(), EVP_aes_128_cbc(), nullptr, bytes_of(key), bytes_of(vector)) == 1 &&
      EVP_DecryptUpdate(context.get(), plain.data(), &size, bytes_of(text), static_cast<int>(text.size())) ==
          1 &&
      EVP_DecryptFinal_ex(context.get(), plain.data() + size, &rest) == 1;
  if (!done) return std::nullopt;
  Secret secret(
      std::string(reinterpret_cast<const char*>(plain.data()), static_cast<std::size_t>(size + rest)));
  ::explicit_bzero(plain.data(), plain.size());
  return secret;
}

}  // namespace

std::optional<Secret> decrypt_fernet(std::string_view token, std::string_view key) {
  const auto sealed = decode(token);
  const bool has_form = sealed && key.size() == kKeySize && sealed->size() > kHeadSize + kMacSize &&
                        static_cast<unsigned char>((*sealed)[0]) == 0x80;
  if (!has_form || !has_right_mac(key.substr(0, 16), *sealed)) return std::nullopt;
  const std::string_view all = *sealed;
  return decrypt_cbc(key.substr(16), all.substr(9, 16),
                     all.substr(kHeadSize, all.size() - kHeadSize - kMacSize));
}

TokenFileKind kind_of_token_file(std::string_view text) {
  if (trim(text).starts_with('{')) return TokenFileKind::sasl_xoauth2;
  return text.find("token_salt") != text.npos ? TokenFileKind::email_oauth2_proxy : TokenFileKind::unknown;
}

Result<StoredToken, std::string> import_sasl_xoauth2(std::string_view text) {
  auto json = parse_json(trim(text));
  if (!json) return std::unexpected(cat("is no JSON: ", json.error()));
  StoredToken token;
  token.refresh_token = Secret(json->text_of("refresh_token"));
  token.access_token = Secret(json->text_of("access_token"));
  token.expires = from_unix(parse_number(json->text_of("expiry")).value_or(0));
  if (token.refresh_token.empty()) return std::unexpected("has no `refresh_token`");
  return token;
}

Result<StoredToken, std::string> import_email_oauth2_proxy(std::string_view text, std::string_view account,
                                                           const Secret& password) {
  const Section section = section_of(text, account);
  if (section.empty()) return std::unexpected(cat("has no section [", printable(account, 320), "]"));
  const auto salt = decode(value_of(section, "token_salt"));
  if (!salt || value_of(section, "refresh_token").empty())
    return std::unexpected(
        cat("has no `token_salt` and `refresh_token` in the section [", printable(account, 320), "]"));
  const auto iterations = parse_number(value_of(section, "token_iterations")).value_or(kOldIterations);
  if (iterations == 0 || iterations > kMostIterations)
    return std::unexpected("has an odd `token_iterations`");
  const Secret key = derived_key(password, *salt, iterations);
  auto refresh_token = decrypt_fernet(value_of(section, "refresh_token"), key.reveal());
  if (!refresh_token) return std::unexpected("has tokens that this password does not open");
  StoredToken token;
  token.refresh_token = std::move(*refresh_token);
  token.access_token = decrypt_fernet(value_of(section, "access_token"), key.reveal()).value_or(Secret());
  token.expires = from_unix(parse_number(value_of(section, "access_token_expiry")).value_or(0));
  return token;
}

}  // namespace hikyaku::oauth
