// SPDX-License-Identifier: MIT
// What each flow asks with, and what is done with our own files and programs.
#include "daemon/oauth/grants.h"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "daemon/base/base64.h"
#include "daemon/base/json_value.h"
#include "daemon/io/self_signed.h"
#include "daemon/oauth/jwt.h"
#include "daemon/oauth/token_command.h"
#include "tests/unit/oauth/oauth_rig.h"

using namespace hikyaku;
using namespace hikyaku::oauth;
using namespace hikyaku::test;

namespace {

struct Files {
  Files() { REQUIRE(::mkdtemp(directory.data()) != nullptr); }
  std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) const {
    std::string path = directory + "/" + name;
    std::ofstream(path) << text;
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    return path;
  }
  std::string directory = "/tmp/hikyaku-grants-XXXXXX";
};

std::string from_url_base64(std::string text) {
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  while (text.size() % 4 != 0) text += '=';
  return from_base64(text).value_or("");
}

// Header and claims, without looking at the signature.
std::pair<JsonValue, JsonValue> parts_of(const std::string& jwt) {
  const auto parts = split(jwt, '.');
  REQUIRE(parts.size() == 3);
  return {parse_json(from_url_base64(std::string(parts[0]))).value(),
          parse_json(from_url_base64(std::string(parts[1]))).value()};
}

TokenRequest request_for(mail::OAuthFlow flow) {
  TokenRequest request{.settings = *oauth_smarthost().oauth,
                       .user = "me@example.com",
                       .refresh_token = Secret("r+/= &"),
                       .now = WallTime(std::chrono::seconds(1'790'000'000))};
  request.settings.flow = flow;
  return request;
}

std::string read(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("oauth: forms are percent-encoded, so that no secret breaks out of its field") {
  CHECK(encode_form({{"a", Secret("x&y=z")}, {"b", Secret("ü +/~.-_")}}).reveal() ==
        "a=x%26y%3Dz&b=%C3%BC%20%2B%2F~.-_");
}

TEST_CASE("oauth: a secret goes along only where one is configured") {
  const Files files;
  FakeEndpoint endpoint;
  TokenRequest request = request_for(mail::OAuthFlow::client_credentials);
  request.settings.client_secret_file = files.write("secret", "s3cret&more\n");
  CHECK(obtain(request, endpoint));
  CHECK(endpoint.forms.at(0)["client_secret"] == "s3cret&more");
  CHECK(endpoint.forms[0]["grant_type"] == "client_credentials");
  request.settings.client_secret_file = files.write("open", "x", 0644);
  auto refused = obtain(request, endpoint);
  REQUIRE(!refused);
  CHECK(refused.error().kind == TokenTrouble::setup);
  CHECK(refused.error().file == request.settings.client_secret_file);
  CHECK(refused.error().text ==
        cat(refused.error().file, ": others may read or write the secret in it (mode 0644); run: chmod 600 ",
            refused.error().file));
  CHECK(endpoint.forms.size() == 1);
}

TEST_CASE("oauth: a secret's file is without its line end, and must be there and hold something") {
  const Files files;
  FakeEndpoint endpoint;
  TokenRequest request = request_for(mail::OAuthFlow::client_credentials);
  request.settings.client_secret_file = files.write("secret", "s3cret\r\n");
  CHECK(obtain(request, endpoint));
  CHECK(endpoint.forms.at(0)["client_secret"] == "s3cret");
  const std::string empty = request.settings.client_secret_file = files.write("empty", "\n");
  CHECK(obtain(request, endpoint).error().text == cat(empty, ": is empty"));
  const std::string missing = request.settings.client_secret_file = cat(empty, ".not");
  CHECK(obtain(request, endpoint).error().text ==
        cat(missing, ": the file cannot be opened: No such file or directory"));
}

TEST_CASE("oauth: a secret that the provider repeats is masked") {
  const Files files;
  FakeEndpoint endpoint;
  TokenRequest request = request_for(mail::OAuthFlow::client_credentials);
  request.settings.client_secret_file = files.write("secret", "s3cret-of-ours");
  endpoint.scripted = {{401, R"({"error":"invalid_client","error_description":"bad s3cret-of-ours"})"}};
  CHECK(obtain(request, endpoint).error().text == "invalid_client: bad ***");
}

TEST_CASE("oauth: a certificate becomes an assertion that names it (RFC 7523)") {
  const Files files;
  const auto made = io::make_self_signed(files.directory, {"client.example"});
  REQUIRE(made);
  FakeEndpoint endpoint;
  TokenRequest request = request_for(mail::OAuthFlow::client_credentials);
  request.settings.client_cert = made->cert_file;
  request.settings.client_key = made->key_file;
  auto grant = obtain(request, endpoint);
  if (!grant) {
    CHECK(grant.error().text.find("is no RSA key") !=
          std::string::npos);  // the kind of key is the maker's matter
    return;
  }
  const auto [header, claims] = parts_of(endpoint.forms.at(0)["client_assertion"]);
  CHECK(header.text_of("alg") == "RS256");
  CHECK(header.text_of("x5t") == certificate_mark(read(made->cert_file)).value());
  CHECK(claims.text_of("aud") == "https://token.example/token");
  CHECK(claims.text_of("iss") == "client");
  CHECK(claims.whole_number_of("exp") == 1'790'000'600);
}

TEST_CASE("oauth: a service account signs for the user (Google's JSON key)") {
  const Files files;
  const std::string key_file = files.directory + "/key.pem";
  REQUIRE(std::system(("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out " + key_file +
                       " 2>/dev/null")
                          .c_str()) == 0);
  FakeEndpoint endpoint;
  TokenRequest request = request_for(mail::OAuthFlow::service_account);
  request.settings.service_account_file =
      files.write("account.json", JsonObject()
                                      .add("client_email", "relay@project.iam.example")
                                      .add("private_key_id", "kid1")
                                      .add("private_key", read(key_file))
                                      .text());
  REQUIRE(obtain(request, endpoint));
  CHECK(endpoint.forms.at(0)["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer");
  const auto [header, claims] = parts_of(endpoint.forms[0]["assertion"]);
  CHECK(header.text_of("kid") == "kid1");
  CHECK(claims.text_of("iss") == "relay@project.iam.example");
  CHECK(claims.text_of("sub") == "me@example.com");
  CHECK(claims.whole_number_of("exp") == 1'790'003'600);
  request.settings.service_account_file = files.write("no.json", "{}");
  CHECK(obtain(request, endpoint).error().kind == TokenTrouble::setup);
}

TEST_CASE("oauth: a program's token, without a shell and with an empty environment") {
  FakeEndpoint endpoint;
  TokenRequest request = request_for(mail::OAuthFlow::command);
  request.settings.command = {"/bin/echo", "ya29.$HOME;x"};
  auto grant = obtain(request, endpoint);
  REQUIRE(grant);
  CHECK(grant->access_token == Secret("ya29.$HOME;x"));
  ::setenv("HIKYAKU_TEST_LEAK", "leak", 1);
  CHECK(run_token_command({"/usr/bin/env"}).value() == Secret("PATH=/usr/local/bin:/usr/bin:/bin\n"));
  CHECK(endpoint.forms.empty());
}

TEST_CASE(
    "oauth: a program is bounded in time and in what it prints, and its failure is told without its output") {
  CHECK(run_token_command({"/bin/sh", "-c", "echo secret; exit 3"}).error() ==
        "/bin/sh ended with exit code 3");
  CHECK(run_token_command({"/bin/sh", "-c", "kill -9 $$"}).error() == "/bin/sh was ended by signal 9");
  CHECK(run_token_command({"/nowhere/token"}).error() ==
        "cannot start /nowhere/token: No such file or directory");
  CHECK(run_token_command({"/bin/sh", "-c", "head -c 70000 /dev/zero; sleep 1000"}).error() ==
        "/bin/sh printed more than 64 KiB");
  CHECK(run_token_command({"/bin/sh", "-c", "sleep 1000 & sleep 1000"}, 50ms).error() ==
        "/bin/sh was not done in time");
  CHECK(run_token_command({"/bin/sh", "-c", "exec >&-; sleep 1000"}, 50ms).error() ==
        "/bin/sh was ended by signal 9");
}

TEST_CASE("oauth: revoking tells the provider (RFC 7009)") {
  FakeEndpoint endpoint;
  mail::OAuthSettings settings = *oauth_smarthost().oauth;
  settings.revoke_url = "https://token.example/revoke";
  endpoint.scripted = {{200, ""}, {400, R"({"error":"unsupported_token_type"})"}};
  CHECK(revoke(settings, Secret("r"), endpoint, WallTime{}));
  CHECK(endpoint.urls.at(0) == "https://token.example/revoke");
  CHECK(endpoint.forms.at(0)["token"] == "r");
  CHECK(revoke(settings, Secret("r"), endpoint, WallTime{}).error().text == "unsupported_token_type");
}
