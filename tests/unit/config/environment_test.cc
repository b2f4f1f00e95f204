// SPDX-License-Identifier: MIT
// Variables instead of a file: our own, those of the image of Postfix, and what is refused with the key to use.
#include "daemon/config/environment.h"

#include <cstdlib>

#include "daemon/config/load.h"
#include "doctest/doctest.h"
#include "tests/unit/config/scratch_directory.h"

namespace hikyaku::config {
namespace {

Source source_of(const Variables& variables) {
  auto source = source_in(variables);
  REQUIRE(source.has_value());
  if (!*source) FAIL(to_text(source->error(), "\n"));
  return **source;
}

Settings settings_by(const Variables& variables) {
  const Source source = source_of(variables);
  auto settings = load_text(source.text, source.name, {"app1.example.com"});
  if (!settings) FAIL(to_text(source.say(settings.error()), "\n"));
  return *settings;
}

// Of the first problem, whoever finds it.
std::string problem_of(const Variables& variables) {
  auto source = source_in(variables);
  REQUIRE(source.has_value());
  if (!*source) return to_text(source->error().front());
  auto settings = load_text((*source)->text, (*source)->name, {"app1.example.com"});
  REQUIRE(!settings);
  return to_text((*source)->say(settings.error()).front());
}

TEST_CASE("environment: without a word of where mail goes there is no configuration in it") {
  CHECK(!source_in({}));
  CHECK(!source_in({{"LOG_FORMAT", "json"}, {"POSTFIX_myhostname", "x"}}));
  CHECK(!source_in({{"HIKYAKU_SMARTHOST", ""}}));
  CHECK(!source_in({{"HIKYAKU_OF_SOMEBODY", "x"}}));
  CHECK(source_in({{"HIKYAKU_LISTEN", "127.0.0.1:2525"}}));  // and says that a smarthost is missing
}

TEST_CASE("environment: one variable is a complete configuration") {
  const Settings settings = settings_by({{"HIKYAKU_SMARTHOST", "submission://smtp.example.com"}});
  REQUIRE(settings.smarthosts.size() == 1);
  CHECK(settings.smarthosts[0].host == "smtp.example.com");
  CHECK(settings.smarthosts[0].port == 587);
  CHECK(!settings.listen.is_explicit);
  CHECK(settings_by({{"HIKYAKU_SMARTHOST", "gmail"}, {"HIKYAKU_USER", "a@gmail.com"}}).smarthosts[0].preset ==
        "gmail");
}

TEST_CASE("environment: each of ours has its key, and its variable as its place") {
  const Variables variables{
      {"HIKYAKU_SMARTHOST", "smtps://smtp.example.com"}, {"HIKYAKU_USER", "me: \"x\" # y"},
      {"HIKYAKU_HOSTNAME", "relay.example.com"},         {"HIKYAKU_DOMAIN", "example.com"},
      {"HIKYAKU_LISTEN", "0.0.0.0:2525, [::]:2525"},     {"HIKYAKU_ALLOW", "10.0.0.0/8 fd00::/8"}};
  const Settings settings = settings_by(variables);
  CHECK(settings.smarthosts[0].user == "me: \"x\" # y");
  CHECK(settings.hostname == "relay.example.com");
  CHECK(settings.domain == "example.com");
  CHECK(settings.listen.endpoints.size() == 2);
  CHECK(settings.allow.size() == 2);
  const Source source = source_of(variables);
  unsigned line = 0;
  for (const std::string& variable : source.variables) CHECK(source.place(++line) == variable);
  CHECK(line == 7);
  CHECK(source.place(8) == "environment:8");
}

TEST_CASE("environment: the log-in is that of the variables, or of a file that one names") {
  ScratchDirectory scratch;
  const std::string file = scratch.write("password", "se cret\n", 0444);
  const Variables host{{"HIKYAKU_SMARTHOST", "smtps://smtp.example.com"}, {"HIKYAKU_USER", "me"}};
  auto with = [&](const char* name, const std::string& value) {
    Variables variables = host;
    variables[name] = value;
    return source_of(variables).credentials;
  };
  CHECK(!source_of(host).credentials);
  REQUIRE(with("HIKYAKU_PASSWORD", "se cret"));
  CHECK(with("HIKYAKU_PASSWORD", "se cret")->password == Secret("se cret"));
  CHECK(with("HIKYAKU_PASSWORD", "x")->user == "me");
  CHECK(with("HIKYAKU_PASSWORD_FILE", file)->password == Secret("se cret"));
  CHECK(with("RELAYHOST_PASSWORD_FILE", file)->origin == "RELAYHOST_PASSWORD_FILE");
  CHECK(problem_of({{"HIKYAKU_SMARTHOST", "x"}, {"HIKYAKU_PASSWORD", "p"}}) ==
        "HIKYAKU_PASSWORD: there is a password and no user name: set HIKYAKU_USER");
  CHECK(problem_of({{"HIKYAKU_SMARTHOST", "x"},
                    {"HIKYAKU_USER", "u"},
                    {"HIKYAKU_PASSWORD_FILE", scratch.path() + "/none"}})
            .starts_with("HIKYAKU_PASSWORD_FILE: "));
}

TEST_CASE("environment: a log-in that it gives is used in place of the file") {
  AuthinfoSettings settings{.path = "/nowhere", .is_explicit = true};
  CHECK(!load_authinfo(settings, {}));
  settings.given = mail::Credentials{.authzid = {},
                                     .user = "me",
                                     .password = Secret("p"),
                                     .realm = {},
                                     .mechanisms = {},
                                     .origin = "HIKYAKU_PASSWORD"};
  auto entries = load_authinfo(settings, {});
  REQUIRE(entries);
  CHECK(find_credentials(*entries, {"smtp.example.com", 587})->user == "me");
}

TEST_CASE("environment: a whole configuration is one variable") {
  const std::string text =
      "smarthosts:\n  - {url: \"smtps://a.example.com\"}\n  - {url: \"smtps://b.example.com\"}\n";
  CHECK(settings_by({{"HIKYAKU_CONFIG", text}}).smarthosts.size() == 2);
  CHECK(problem_of({{"HIKYAKU_CONFIG", "smart_host: x\n"}}).starts_with("HIKYAKU_CONFIG:1:1: smart_host: "));
  CHECK(problem_of({{"HIKYAKU_CONFIG", text}, {"HIKYAKU_DOMAIN", "x.example"}}) ==
        "HIKYAKU_DOMAIN: HIKYAKU_CONFIG is a whole configuration: write this into it");
  CHECK(source_of({{"HIKYAKU_CONFIG", text}, {"HIKYAKU_USER", "u"}, {"HIKYAKU_PASSWORD", "p"}}).credentials);
}

TEST_CASE("environment: what is wrong in a value is told of its variable") {
  const Variables host{{"HIKYAKU_SMARTHOST", "smtps://smtp.example.com"}};
  auto with = [&](const char* name, const char* value) {
    Variables variables = host;
    variables[name] = value;
    return problem_of(variables);
  };
  CHECK(with("HIKYAKU_LISTEN", "here").starts_with("HIKYAKU_LISTEN: listen"));
  CHECK(with("HIKYAKU_LISTEN", "0.0.0.0:25").find("open relay") != std::string::npos);
  CHECK(with("HIKYAKU_SMARTHSOT", "x")
            .starts_with("HIKYAKU_SMARTHSOT: is no variable of hikyaku; there are HIKYAKU_SMARTHOST, "));
  CHECK(with("RELAYHOST", "x") == "RELAYHOST: HIKYAKU_SMARTHOST says the same; unset one of them");
  CHECK(with("DKIM_SELECTOR", "x").find("hikyaku dkim new") != std::string::npos);
  CHECK(with("POSTFIX_smtp_helo_name", "x").starts_with("POSTFIX_smtp_helo_name: is not understood"));
  CHECK(with("POSTFIX_message_size_limit", "0")
            .starts_with("POSTFIX_message_size_limit: takes a size in bytes"));
  CHECK(with("LOG_FORMAT", "xml") == "LOG_FORMAT: takes plain or json");
}

TEST_CASE("environment: those of the image of Postfix mean the same") {
  const Settings settings = settings_by({{"RELAYHOST", "[smtp.example.com]:587"},
                                         {"RELAYHOST_USERNAME", "me"},
                                         {"RELAYHOST_PASSWORD", "p"},
                                         {"ALLOWED_SENDER_DOMAINS", "example.com example.org"},
                                         {"ALLOW_EMPTY_SENDER_DOMAINS", ""},
                                         {"POSTFIX_myhostname", "relay.example.com"},
                                         {"POSTFIX_message_size_limit", "26214400"},
                                         {"POSTFIX_smtp_tls_security_level", "encrypt"},
                                         {"LOG_FORMAT", "json"},
                                         {"ANONYMIZE_EMAILS", "true"}});
  CHECK(settings.smarthosts[0].host == "smtp.example.com");
  CHECK(settings.smarthosts[0].port == 587);
  CHECK(settings.smarthosts[0].tls.mode == mail::TlsMode::starttls);
  CHECK(settings.smarthosts[0].user == "me");
  CHECK(settings.listen.endpoints[0].to_text() == "0.0.0.0:587");
  CHECK(settings.allow[0].contains(*IpAddress::parse("127.0.0.1")));
  CHECK(settings.allow[1].contains(*IpAddress::parse("10.1.2.3")));
  CHECK(settings.senders.size() == 2);
  CHECK(settings.hostname == "relay.example.com");
  CHECK(settings.message.max_size == ByteSize{26214400});
  CHECK(settings.log.format == LogFormat::json);
  CHECK(settings.log.addresses == LogAddresses::masked);
}

TEST_CASE("environment: a relay host is a name or an address, with or without a port") {
  auto smarthost = [](const char* text) { return settings_by({{"RELAYHOST", text}}).smarthosts[0]; };
  CHECK(smarthost("smtp.example.com").port == 25);
  CHECK(smarthost("smtp.example.com:465").tls.mode == mail::TlsMode::implicit);
  CHECK(smarthost("[smtp.example.com]").host == "smtp.example.com");
  CHECK(smarthost("[2001:db8::1]:587").host == "2001:db8::1");
  CHECK(smarthost("[2001:db8::1]:587").port == 587);
  CHECK(smarthost("2001:db8::1").host == "2001:db8::1");
  CHECK(problem_of({{"RELAYHOST", "smtp.example.com:mail"}}).starts_with("RELAYHOST: smarthost.port"));
}

TEST_CASE("environment: the directory of the sockets goes with any configuration, and is none by itself") {
  ::setenv("HIKYAKU_RUNTIME_DIRECTORY", "/srv/run", 1);
  CHECK(settings_by({{"HIKYAKU_SMARTHOST", "smtps://smtp.example.com"}}).runtime_directory == "/srv/run");
  CHECK_FALSE(this_environment().contains("HIKYAKU_RUNTIME_DIRECTORY"));
  ::setenv("HIKYAKU_RUNTIME_DIRECTORY", "run", 1);
  CHECK(Settings().runtime_directory == "/run/hikyaku");
  ::unsetenv("HIKYAKU_RUNTIME_DIRECTORY");
  CHECK(Settings().runtime_directory == "/run/hikyaku");
}

}  // namespace
}  // namespace hikyaku::config
