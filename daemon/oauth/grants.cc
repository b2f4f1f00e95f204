// SPDX-License-Identifier: MIT
#include "daemon/oauth/grants.h"

#include "daemon/base/json.h"
#include "daemon/base/json_value.h"
#include "daemon/base/random.h"
#include "daemon/base/text.h"
#include "daemon/config/secret_file.h"
#include "daemon/oauth/jwt.h"
#include "daemon/oauth/token_command.h"
#include "smtpc/secret_mask.h"

namespace hikyaku::oauth {
namespace {

using mail::OAuthFlow;
using mail::OAuthSettings;

constexpr config::SecretWords kWords{"the file", "the secret in it", "a secret of theirs"};
constexpr std::string_view kAssertionKind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
constexpr std::string_view kJwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
constexpr std::string_view kDeviceGrant = "urn:ietf:params:oauth:grant-type:device_code";
constexpr std::size_t kIdLength = 26;  // 130 bits

std::unexpected<TokenError> setup_error(const std::string& file, std::string_view what) {
  return std::unexpected(TokenError{TokenTrouble::setup, cat(file, ": ", what), {}, file});
}

// Read when it is needed, and wiped after that. Without the line end at its end.
Result<Secret, TokenError> read_secret(const std::string& file) {
  auto text = config::read_secret_file(file, config::AuthinfoReader::this_process(), kWords);
  if (!text) return setup_error(file, text.error().text);
  const std::string_view whole = text->reveal();
  const auto end = whole.find_last_not_of("\r\n");
  if (end == whole.npos) return setup_error(file, "is empty");
  return Secret(std::string(whole.substr(0, end + 1)));
}

std::int64_t seconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

// RFC 7523 2.2, with what Microsoft finds the certificate by.
Result<Secret, TokenError> client_assertion(const OAuthSettings& settings, WallTime now) {
  auto key = read_secret(settings.client_key);
  if (!key) return std::unexpected(key.error());
  auto certificate = config::read_file(settings.client_cert);
  if (!certificate) return setup_error(settings.client_cert, certificate.error().text);
  auto mark = certificate_mark(certificate->text);
  if (!mark) return setup_error(settings.client_cert, mark.error());
  const std::int64_t from = seconds(now);
  JsonObject header;
  header.add("alg", "RS256").add("typ", "JWT").add("x5t", *mark);
  JsonObject claims;
  claims.add("aud", settings.token_url).add("iss", settings.client_id).add("sub", settings.client_id);
  claims.add("jti", random_token(kIdLength)).add("nbf", from - 60).add("iat", from).add("exp", from + 600);
  auto token = sign_jwt(header, claims, *key);
  if (!token) return setup_error(settings.client_key, token.error());
  return std::move(*token);
}

// Who asks. A public client says its id alone: a secret that it should not have is refused.
Result<void, TokenError> add_client(const OAuthSettings& settings, WallTime now, Form& form) {
  form.emplace_back("client_id", Secret(settings.client_id));
  if (!settings.client_secret_file.empty()) {
    auto secret = read_secret(settings.client_secret_file);
    if (!secret) return std::unexpected(secret.error());
    form.emplace_back("client_secret", std::move(*secret));
  }
  if (settings.client_cert.empty()) return {};
  auto assertion = client_assertion(settings, now);
  if (!assertion) return std::unexpected(assertion.error());
  form.emplace_back("client_assertion_type", Secret(std::string(kAssertionKind)));
  form.emplace_back("client_assertion", std::move(*assertion));
  return {};
}

struct ServiceAccount {
  std::string email;
  std::string key_id;
  Secret key;
};

Result<ServiceAccount, TokenError> read_service_account(const std::string& file) {
  auto text = read_secret(file);
  if (!text) return std::unexpected(text.error());
  auto json = parse_json(text->reveal());
  if (!json) return setup_error(file, "is not the JSON key of a service account");
  ServiceAccount account{json->text_of("client_email"), json->text_of("private_key_id"),
                         Secret(json->text_of("private_key"))};
  if (account.email.empty() || account.key.empty())
    return setup_error(
        file, "has no `client_email` and `private_key`, as Google's JSON key of a service account has");
  return account;
}

Result<Secret, TokenError> service_assertion(const TokenRequest& request) {
  const OAuthSettings& settings = request.settings;
  auto account = read_service_account(settings.service_account_file);
  if (!account) return std::unexpected(account.error());
  const std::int64_t from = seconds(request.now);
  JsonObject header;
  header.add("alg", "RS256").add("typ", "JWT").add("kid", account->key_id);
  JsonObject claims;
  claims.add("iss", account->email).add("sub", request.user).add("scope", settings.scope);
  claims.add("aud", settings.token_url).add("iat", from).add("exp", from + 3600);
  auto token = sign_jwt(header, claims, account->key);
  if (!token) return setup_error(settings.service_account_file, token.error());
  return std::move(*token);
}

Result<Form, TokenError> form_for(const TokenRequest& request) {
  const OAuthSettings& settings = request.settings;
  Form form;
  if (settings.flow == OAuthFlow::service_account) {
    auto assertion = service_assertion(request);
    if (!assertion) return std::unexpected(assertion.error());
    form.emplace_back("grant_type", Secret(std::string(kJwtBearer)));
    form.emplace_back("assertion", std::move(*assertion));
    return form;
  }
  const bool is_login = settings.flow == OAuthFlow::login;
  form.emplace_back("grant_type", Secret(is_login ? "refresh_token" : "client_credentials"));
  if (is_login) form.emplace_back("refresh_token", request.refresh_token);
  form.emplace_back("scope", Secret(settings.scope));
  auto added = add_client(settings, request.now, form);
  if (!added) return std::unexpected(added.error());
  return form;
}

EndpointRequest request_to(const std::string& url, const OAuthSettings& settings, const Form& form) {
  return {.url = url, .form = encode_form(form), .proxy = settings.proxy, .ca_file = settings.ca_file};
}

// Of the form, what must not come back in anybody's words.
bool is_secret(std::string_view name) {
  return name == "client_secret" || name == "refresh_token" || name == "client_assertion" ||
         name == "assertion" || name == "code" || name == "code_verifier" || name == "device_code" ||
         name == "token";
}

std::string masked(std::string text, const Form& form) {
  for (const auto& [name, value] : form) {
    if (!is_secret(name)) continue;
    mail::Credentials hidden;
    hidden.password = value;
    text = smtpc::SecretMask(hidden).masked(text);
  }
  return text;
}

template <class T>
Result<T, TokenError> ask(const std::string& url, const OAuthSettings& settings, const Form& form,
                          TokenEndpoint& endpoint,
                          Result<T, TokenError> (*understand)(const EndpointAnswer&)) {
  auto answer = endpoint.post(request_to(url, settings, form));
  if (!answer) return std::unexpected(TokenError{TokenTrouble::transient, answer.error()});
  auto understood = understand(*answer);
  if (!understood) understood.error().text = masked(std::move(understood.error().text), form);
  return understood;
}

// Success has an empty body, and what came is of no interest.
Result<bool, TokenError> parse_revocation(const EndpointAnswer& answer) {
  if (answer.status == 200 || answer.status == 204) return true;
  auto refused = parse_token_answer(answer);
  if (!refused) return std::unexpected(refused.error());
  return std::unexpected(TokenError{TokenTrouble::transient, "an answer that is none"});
}

}  // namespace

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_alpha(c) || is_digit(c) || std::string_view("-._~").contains(c))
      encoded += c;
    else
      (encoded += '%', encoded += kDigits[byte >> 4], encoded += kDigits[byte & 15]);
  }
  return encoded;
}

Secret encode_form(const Form& form) {
  std::string text;
  for (const auto& [name, value] : form)
    text += cat(text.empty() ? "" : "&", name, "=", percent_encode(value.reveal()));
  return Secret(std::move(text));
}

Result<Grant, TokenError> obtain(const TokenRequest& request, TokenEndpoint& endpoint) {
  if (request.settings.flow == OAuthFlow::command) {
    auto printed = run_token_command(request.settings.command);
    if (!printed) return std::unexpected(TokenError{TokenTrouble::setup, printed.error()});
    return parse_token_text(printed->reveal());
  }
  auto form = form_for(request);
  if (!form) return std::unexpected(form.error());
  return ask(request.settings.token_url, request.settings, *form, endpoint, parse_token_answer);
}

Result<Grant, TokenError> redeem(const OAuthSettings& settings, const AuthorizationCode& code,
                                 TokenEndpoint& endpoint, WallTime now) {
  Form form{{"grant_type", Secret("authorization_code")},
            {"code", code.code},
            {"redirect_uri", Secret(code.redirect_uri)},
            {"code_verifier", code.verifier}};
  auto added = add_client(settings, now, form);
  if (!added) return std::unexpected(added.error());
  return ask(settings.token_url, settings, form, endpoint, parse_token_answer);
}

Result<DeviceCode, TokenError> ask_for_device_code(const OAuthSettings& settings, TokenEndpoint& endpoint,
                                                   WallTime now) {
  Form form{{"scope", Secret(settings.scope)}};
  auto added = add_client(settings, now, form);
  if (!added) return std::unexpected(added.error());
  return ask(settings.device_url, settings, form, endpoint, parse_device_answer);
}

Result<Grant, TokenError> poll_device(const OAuthSettings& settings, const DeviceCode& code,
                                      TokenEndpoint& endpoint, WallTime now) {
  Form form{{"grant_type", Secret(std::string(kDeviceGrant))}, {"device_code", code.device_code}};
  auto added = add_client(settings, now, form);
  if (!added) return std::unexpected(added.error());
  return ask(settings.token_url, settings, form, endpoint, parse_token_answer);
}

Result<void, TokenError> revoke(const OAuthSettings& settings, const Secret& token, TokenEndpoint& endpoint,
                                WallTime now) {
  Form form{{"token", token}, {"token_type_hint", Secret("refresh_token")}};
  auto added = add_client(settings, now, form);
  if (!added) return std::unexpected(added.error());
  auto done = ask(settings.revoke_url, settings, form, endpoint, parse_revocation);
  if (!done) return std::unexpected(done.error());
  return {};
}

}  // namespace hikyaku::oauth
