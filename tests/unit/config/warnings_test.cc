// SPDX-License-Identifier: MIT
#include "daemon/config/warnings.h"

#include "doctest/doctest.h"
#include "tests/unit/config/loading.h"

namespace hikyaku::config {
namespace {

// Of a machine that is called app1.shop.example.
Settings on_a_good_machine(std::string_view text) {
  auto settings = load_text(text, "h.yaml", {"app1.shop.example"});
  REQUIRE(settings);
  return *settings;
}

std::string all_warnings(const Settings& settings, const SetupFacts& facts = {}) {
  return join(warnings(settings, facts), "\n");
}

mail::Credentials credentials_of(const char* user) {
  mail::Credentials credentials;
  credentials.user = user;
  return credentials;
}

TEST_CASE("config: what is allowed but dangerous warns, and nothing else does") {
  auto warning = [](std::string_view keys) {
    auto found = warnings(
        on_a_good_machine(cat("smarthost: {name: main, host: a.example, auth: none, ", keys, "}\n")), {});
    return found.empty() ? std::string() : found.at(0);
  };
  CHECK(warning("port: 465") == "");
  CHECK(warning("port: 25") == "");
  CHECK(contains(warning("port: 465, tls_verify: false"), "smarthost main: `tls_verify: false`"));
  CHECK(warning("port: 465, tls_verify: false, tls_fingerprint: 'sha256:" + std::string(64, 'a') + "'") ==
        "");
  CHECK(contains(warning("port: 465, tls_min_version: 1.1"), "`tls_min_version` below 1.2"));
  CHECK(contains(warning("port: 465, allow_plaintext_auth: true"), "unencrypted"));
  CHECK(contains(warning("tls: none"), "sends mail unencrypted"));
  CHECK(contains(warning("port: 465, tls: starttls"), "port 465 usually speaks implicit TLS"));
  CHECK(contains(warning("port: 587, tls: implicit"), "usually does not speak implicit TLS"));
  std::string open = "smarthost: smtp://a.example\nlisten: \"0.0.0.0:25\"\nallow: [0.0.0.0/0]\n";
  CHECK(contains(warnings(on_a_good_machine(open), {}).at(0), "lets every address send"));
}

TEST_CASE("config: metrics that others than this machine can read warn") {
  auto warned = [](const char* at) {
    return all_warnings(on_a_good_machine(cat("smarthost: smtp://a.example\nmetrics: '", at, "'\n")));
  };
  CHECK(warned("127.0.0.1:9725") == "");
  CHECK(warned("[::1]:9725") == "");
  CHECK(contains(warned("0.0.0.0:9725"), "`metrics: \"0.0.0.0:9725\"` tells everyone"));
  CHECK(contains(warned("192.0.2.1:9725"), "let only the monitoring system through"));
}

TEST_CASE("config: `lookup: mx` warns where a password would go to whoever answers") {
  Settings settings = on_a_good_machine("smarthost: {name: main, host: a.example, lookup: mx}\n");
  CHECK(all_warnings(settings) == "");
  settings.smarthosts[0].credentials = credentials_of("me@shop.example");
  CHECK(contains(all_warnings(settings), "set `tls_verify: true`"));
  CHECK(all_warnings(on_a_good_machine("smarthost: 'mx:'\n")) == "");
}

TEST_CASE("config: port 587 or 465 without credentials warns, with the line that is missing") {
  for (const char* url : {"submission://smtp.shop.example", "smtps://smtp.shop.example"}) {
    Settings settings = on_a_good_machine(cat("smarthost: ", url, "\n"));
    std::string said = all_warnings(settings);
    CHECK(contains(said, "usually demands a log-in, and /etc/hikyaku/authinfo has no credentials for"));
    CHECK(contains(said, "`machine smtp.shop.example login USER password PASSWORD`"));
    CHECK(contains(said, "`auth: none`"));
    CHECK(all_warnings(settings, {.undecided = {settings.smarthosts[0].name}}) == "");
    settings.smarthosts[0].credentials = credentials_of("me@shop.example");
    CHECK(all_warnings(settings) == "");
  }
  CHECK(all_warnings(on_a_good_machine("smarthost: smtp://smtp.shop.example\n")) == "");
  CHECK(all_warnings(on_a_good_machine("smarthost: {host: a.example, port: 587, auth: none}\n")) == "");
}

TEST_CASE("config: a machine called vm or localhost is told how its mail leaves, and what to set") {
  struct Case {
    const char* keys;
    Environment environment;
    std::vector<const char*> says;  // none: nothing at all
  };
  const Case kCases[] = {
      {"", {"app1.shop.example"}, {}},
      {"", {"vm"}, {"USER@vm, a name without a domain", "set `domain` and `hostname`", "/etc/mailname"}},
      {"", {"[127.0.0.1]"}, {"no usable name", "USER@[127.0.0.1]", "@hikyaku.invalid", "/etc/mailname"}},
      {"", {"vm", "shop.example"}, {"the name in EHLO is vm", "set `hostname`"}},
      {"hostname: '[192.0.2.1]'\n", {"vm", "shop.example"}, {}},
      {"domain: shop.example\n", {"vm"}, {"the name in EHLO is vm"}},
      {"hostname: app1.shop.example\n", {"vm"}, {}},
      {"domain: intranet\n", {"app1.shop.example"}, {"USER@intranet"}},
  };
  for (const Case& each : kCases) {
    auto settings = load_text(cat("smarthost: smtp://a.example\n", each.keys), "h.yaml", each.environment);
    REQUIRE(settings);
    std::string said = all_warnings(*settings);
    CHECK_MESSAGE(said.empty() == each.says.empty(), said);
    for (const char* words : each.says) CHECK_MESSAGE(contains(said, words), said);
  }
}

TEST_CASE("config: example.com that is still there is told, wherever it stands") {
  auto said = [](std::string_view text) { return all_warnings(on_a_good_machine(text)); };
  CHECK(contains(said("smarthost: smtp://smtp.example.com\n"),
                 "replace them by your own: `host` smtp.example.com (smarthost smtp.example.com)"));
  CHECK(contains(said("smarthost: {name: main, host: a.example, port: 25, user: me@Example.NET}\n"),
                 "user me@Example.NET (smarthost main)"));
  CHECK(contains(said("smarthost: smtp://a.example\ndomain: example.org\n"), "`domain` example.org"));
  CHECK(contains(said("smarthost: smtp://a.example\ndomain: shop.example\nhostname: app1.example.com\n"),
                 "`hostname` app1.example.com"));
  CHECK(contains(said("smarthost: {name: main, host: a.example}\nfrom: me@example.com\n"),
                 "sender me@example.com (smarthost main)"));
  CHECK(contains(said("smarthost: {name: main, host: a.example, rewrite: {header_from: me@example.com}}\n"),
                 "From me@example.com (smarthost main)"));
  CHECK(said("smarthost: smtp://myexample.com\ndomain: example.com.shop.example\n") == "");
  Settings settings = on_a_good_machine("smarthost: {name: main, host: a.example, port: 587}\n");
  settings.smarthosts[0].credentials = credentials_of("me@example.com");
  CHECK(contains(all_warnings(settings), "user me@example.com (smarthost main)"));
  settings.smarthosts[0].host = "127.0.0.1";
  CHECK(all_warnings(settings) == "");  // a trial with a sink
}

TEST_CASE("config: senders that leave out this machine's own programs are told") {
  auto said = [](std::string_view senders) {
    return all_warnings(on_a_good_machine(cat("smarthost: smtp://a.example\nsenders: ", senders, "\n")));
  };
  CHECK(said("\"*@shop.example\"") ==
        "`senders` does not name root@app1.shop.example, so mail of cron and other programs of this machine "
        "is refused: "
        "add \"*@app1.shop.example\" to `senders`, or set `domain` in hikyaku.yaml");
  CHECK(said("[\"*@*.shop.example\"]") == "");
  CHECK(said("\"*@shop.example\"\ndomain: shop.example") == "");
}

TEST_CASE(
    "config: what only the machine knows is warned of: no alias for root, unknown users, root's files") {
  Settings settings = on_a_good_machine("smarthost: smtp://a.example\naliases: /etc/mail/aliases\n");
  CHECK(all_warnings(settings) == "");
  std::string said = all_warnings(settings, {.has_root_alias = false});
  CHECK(contains(said, "leaves for root@app1.shop.example"));
  CHECK(contains(said, "`root: YOUR@ADDRESS` to /etc/mail/aliases and run newaliases"));
  CHECK(contains(said, "set `local_mail: YOUR@ADDRESS` in hikyaku.yaml"));
  settings.local_mail = "ops@shop.example";
  CHECK(all_warnings(settings, {.has_root_alias = false}) == "");
  CHECK(all_warnings(settings, {.unknown_trusted = {"www-dat"}}) ==
        "submit.trusted: there is neither a user nor a group www-dat on this machine");
  CHECK(all_warnings(settings, {.sendmail = "it is another"}) == "it is another");
  CHECK(contains(all_warnings(settings, {.reload_problems = {"a: cannot be opened"}}),
                 "a reload will fail, because only root could read this: a: cannot be opened"));
}

}  // namespace
}  // namespace hikyaku::config
