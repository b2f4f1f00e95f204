// SPDX-License-Identifier: MIT
#include "daemon/config/smarthost_draft.h"
#include "doctest/doctest.h"
#include "tests/unit/config/loading.h"

namespace hikyaku::config {
namespace {

mail::Smarthost with_oauth_keys(std::string_view keys, std::string_view more = "user: me@example.com") {
  return settings_of(cat("smarthost: {host: smtp.example.com, port: 587, ", more, ", oauth: {", keys, "}}\n"))
      .smarthosts.at(0);
}

std::string oauth_complaints(std::string_view keys, std::string_view more = "user: me@example.com") {
  return to_text(
      problems_of(cat("smarthost: {host: smtp.example.com, port: 587, ", more, ", oauth: {", keys, "}}\n")),
      "\n");
}

TEST_CASE("config: a provider fills in URLs, scope and limits, and what is written beats it") {
  mail::Smarthost s = with_oauth_keys("provider: microsoft, tenant: example.com, client_id: id");
  CHECK(s.oauth->token_url == "https://login.microsoftonline.com/example.com/oauth2/v2.0/token");
  CHECK(s.oauth->authorize_url == "https://login.microsoftonline.com/example.com/oauth2/v2.0/authorize");
  CHECK(s.oauth->device_url == "https://login.microsoftonline.com/example.com/oauth2/v2.0/devicecode");
  CHECK(s.oauth->scope == "https://outlook.office.com/SMTP.Send offline_access");
  CHECK(s.connections == 3);
  REQUIRE(s.rates.size() == 2);
  CHECK(to_text(s.rates[0]) == "30/min");
  CHECK(to_text(s.rates[1]) == "10000 recipients/day");
  s = with_oauth_keys("provider: microsoft, client_id: id", "user: me, connections: 5, rate: 7/min");
  CHECK(s.oauth->tenant == "common");
  CHECK(s.connections == 5);
  CHECK(to_text(s.rates.at(0)) == "7/min");
  s = with_oauth_keys("provider: google, client_id: id, scope: mine");
  CHECK(s.oauth->scope == "mine");
  CHECK(s.oauth->device_url.empty());
  CHECK(s.connections == 4);
}

TEST_CASE("config: Microsoft's national clouds, and its scope for applications") {
  auto s = with_oauth_keys("provider: microsoft, cloud: us-gov, client_id: id");
  CHECK(s.oauth->token_url == "https://login.microsoftonline.us/common/oauth2/v2.0/token");
  CHECK(s.oauth->scope == "https://outlook.office365.us/SMTP.Send offline_access");
  s = with_oauth_keys("provider: microsoft, cloud: china, client_id: id");
  CHECK(s.oauth->token_url == "https://login.partner.microsoftonline.cn/common/oauth2/v2.0/token");
  s = with_oauth_keys("provider: microsoft, flow: client_credentials, client_id: id, client_secret_file: /s");
  CHECK(s.oauth->scope == "https://outlook.office365.com/.default");
}

TEST_CASE("config: URLs of one's own bring none of the provider's along") {
  auto s = with_oauth_keys("provider: microsoft, client_id: id, token_url: 'http://127.0.0.1:8080/token'");
  CHECK(s.oauth->token_url == "http://127.0.0.1:8080/token");
  CHECK(s.oauth->device_url.empty());
  CHECK(s.oauth->issuer.empty());
}

TEST_CASE("config: what is missing or contradicts itself in `oauth` is told") {
  CHECK(contains(oauth_complaints("provider: microsoft"), "needs `client_id`"));
  CHECK(contains(oauth_complaints("client_id: x"), "needs `provider`, or `token_url`"));
  CHECK(contains(oauth_complaints("provider: google, client_id: x", "auth: auto"), "`oauth` needs `user`"));
  CHECK(contains(oauth_complaints("provider: google, client_id: x", "user: me, auth: none"),
                 "forbids to log in"));
  CHECK(contains(oauth_complaints("provider: microsoft, flow: client_credentials, client_id: x"),
                 "client_secret_file"));
  CHECK(contains(oauth_complaints("flow: command"), "`flow: command` needs `command`"));
  CHECK(contains(oauth_complaints("flow: command, command: [token]"), "with its full path"));
  CHECK(contains(oauth_complaints("provider: google, client_id: x, command: [/bin/x]"),
                 "`command` needs `flow: command`"));
  CHECK(contains(oauth_complaints("provider: google, flow: service_account"), "service_account_file"));
  CHECK(contains(oauth_complaints("provider: google, client_id: x, client_certificate: {cert: /c}"),
                 "needs both"));
  CHECK(contains(oauth_complaints("provider: googel, client_id: x"), "google"));
  CHECK(contains(oauth_complaints("provider: google, client_id: x, token_url: 'http://token.example/'"),
                 "must be an https:// URL"));
  CHECK(with_oauth_keys("flow: command, command: [/usr/bin/token, main]").oauth->command.size() == 2);
}

TEST_CASE("config: secrets and tokens go to https, or stay on this machine") {
  for (const char* url : {"https://login.example/token", "https://login.example:8443/a?b",
                          "http://127.0.0.1:80/t", "http://[::1]:8080/t", "http://localhost/t"})
    CHECK_MESSAGE(is_safe_url(url), url);
  for (const char* url :
       {"http://login.example/token", "http://127.0.0.1.evil.example/", "https://u:p@login.example/",
        "ftp://x", "https://", "https://a b/", "https://host/#f", "http://127.0.0.1@evil.example/", ""})
    CHECK_MESSAGE(!is_safe_url(url), url);
}

TEST_CASE("config: with `oauth` no password of authinfo is ever used") {
  mail::Smarthost s = with_oauth_keys("provider: google, client_id: id");
  auto entries = parse_authinfo("machine smtp.example.com login me@example.com password secret\n", "f");
  REQUIRE(entries);
  attach_credentials(s, *entries);
  CHECK(!s.credentials);
  CHECK(mail::account_of(s) == "me@example.com");
}

}  // namespace
}  // namespace hikyaku::config
