// SPDX-License-Identifier: MIT
// The key `preset`, and a preset's name in the place of a URL.
#include "daemon/config/presets.h"
#include "daemon/config/warnings.h"
#include "doctest/doctest.h"
#include "tests/unit/config/loading.h"

namespace hikyaku::config {
namespace {

using mail::Smarthost;
using mail::TlsMode;

Smarthost with_preset(std::string_view keys) {
  return settings_of(cat("smarthosts:\n  - {", keys, "}\n")).smarthosts.at(0);
}

std::string preset_complaints(std::string_view keys) {
  return complaints(cat("smarthosts:\n  - {", keys, "}\n"));
}

std::string preset_warnings(std::string_view keys, const char* user = nullptr) {
  auto settings = load_text(cat("smarthosts:\n  - {", keys, "}\n"), "h.yaml", {"app1.shop.example"});
  REQUIRE(settings);
  if (user != nullptr) {
    settings->smarthosts[0].credentials.emplace();
    settings->smarthosts[0].credentials->user = user;
  }
  return join(warnings(*settings, {}), "\n");
}

TEST_CASE("config: a preset gives what the provider's row says") {
  Smarthost s = with_preset("preset: microsoft365, user: a@shop.example");
  CHECK(s.preset == "microsoft365");
  CHECK(s.name == "microsoft365");
  CHECK(s.host == "smtp.office365.com");
  CHECK(s.port == 587);
  CHECK(s.tls.mode == TlsMode::starttls);
  CHECK(s.connections == 3);
  CHECK(s.rates == std::vector<mail::Rate>{{30, mail::RateUnit::minute},
                                           {10'000, mail::RateUnit::day, mail::RateOf::recipients}});
  CHECK(with_preset("preset: sendgrid").user == "apikey");
  CHECK(with_preset("preset: sparkpost").messages_per_connection == 100);
}

TEST_CASE("config: every preset that is in service loads as a configuration") {
  for (const Preset& preset : presets()) {
    CAPTURE(preset.name);
    const bool is_one_word = !preset.host.empty() && preset.ended.empty();
    if (is_one_word) {
      Smarthost s = settings_of(cat("smarthost: ", preset.name, "\n")).smarthosts.at(0);
      CHECK(s.host == preset.host);
      CHECK(s.port == preset.port);
      CHECK(s.tls.mode == preset.tls);
      CHECK(s.name == preset.name);
    }
    const std::string own = cat("preset: ", preset.name, ", host: smtp.shop.example");
    if (preset.ended.empty()) CHECK(with_preset(own).port == preset.port);
  }
}

TEST_CASE("config: each key of the entry beats the preset's") {
  Smarthost s = with_preset(
      "connections: 4, rate: 5/min, name: main, tls: starttls, user: me, preset: gmail, "
      "messages_per_connection: 7");
  CHECK(s.name == "main");
  CHECK(s.port == 587);
  CHECK(s.tls.mode == TlsMode::starttls);
  CHECK(s.rates == std::vector<mail::Rate>{{5, mail::RateUnit::minute}});
  CHECK(s.user == "me");
  CHECK(s.messages_per_connection == 7);
  CHECK(with_preset("preset: microsoft365, connections: 4").connections == 4);
  const std::string ses = "preset: ses, host: email-smtp.eu-west-1.amazonaws.com";
  CHECK(with_preset(ses).dkim.omit == std::vector<std::string>{"Message-ID", "Date"});
  CHECK(with_preset(ses + ", dkim: {sign: true}").dkim.omit.size() == 2);
  CHECK(with_preset(ses + ", dkim: {omit: []}").dkim.omit.empty());
  CHECK(with_preset("preset: sendgrid, user: other").user == "other");
}

TEST_CASE("config: a port, a mode, a host or a URL beside a preset takes another of its ways in") {
  CHECK(with_preset("preset: sendgrid, port: 2525").tls.mode == TlsMode::starttls);
  CHECK(with_preset("preset: sendgrid, port: 587").tls.mode == TlsMode::starttls);
  CHECK(with_preset("preset: resend, port: 2465").tls.mode == TlsMode::implicit);
  CHECK(with_preset("preset: postmark, tls: starttls").port == 587);
  Smarthost url = with_preset("preset: ses-eu-west-1, url: 'submission://localhost:2587'");
  CHECK(url.host == "localhost");
  CHECK(url.port == 2587);
  CHECK(url.tls.mode == TlsMode::starttls);
  CHECK(url.preset == "ses-eu-west-1");
  Smarthost region = with_preset("preset: ses, host: email-smtp.xx-new-1.amazonaws.com");
  CHECK(region.port == 465);
  CHECK(region.tls.mode == TlsMode::implicit);
}

TEST_CASE("config: where a provider takes only the account's address, mail leaves with `user`") {
  CHECK(with_preset("preset: gmail, user: me@gmail.com").rewrite.envelope_from == "me@gmail.com");
  CHECK(with_preset("preset: gmail, user: me@gmail.com").rewrite.header_from == "me@gmail.com");
  CHECK(with_preset("preset: gmail, user: me@gmail.com, from: you@gmail.com").rewrite.header_from ==
        "you@gmail.com");
  Smarthost half = with_preset("preset: gmail, user: me@gmail.com, rewrite: {envelope_from: you@gmail.com}");
  CHECK(half.rewrite.header_from == "");
  Smarthost some = with_preset("preset: gmail, user: me@gmail.com, rewrite: {unless: ['*@shop.example']}");
  CHECK(some.rewrite.header_from == "me@gmail.com");
  CHECK(some.rewrite.unless.size() == 1);
  CHECK(with_preset("preset: docomo, user: me").rewrite.header_from == "");
  CHECK(with_preset("preset: icloud, user: me@icloud.com").rewrite.header_from == "");
  CHECK(with_preset("host: smtp.gmail.com, port: 465, user: me@gmail.com").rewrite.header_from == "");
  Settings top = settings_of("smarthost: {preset: gmail, user: me@gmail.com}\nfrom: you@gmail.com\n");
  CHECK(top.smarthosts.at(0).rewrite.header_from == "you@gmail.com");
}

TEST_CASE("config: a preset that does not exist, has ended or is not enough says so") {
  CHECK(contains(complaints("smarthost: gmial\n"),
                 "smarthost: is the name of no preset; did you mean `gmail`?"));
  CHECK(contains(preset_complaints("preset: gmial"),
                 "smarthosts[0].preset: is the name of no preset; did you mean `gmail`?"));
  CHECK(contains(preset_complaints("preset: goo"), "goo Mail ended on 2026-02-25"));
  CHECK(contains(preset_complaints("preset: sakura, user: me"), "needs `host` as well"));
  CHECK(contains(complaints("smarthost: ses\n"), "email-smtp.*.amazonaws.com"));
  for (const char* keys : {"preset: gmial", "preset: goo", "preset: sakura", "preset: [gmail]"})
    CHECK(problems_of(cat("smarthosts:\n  - {", keys, "}\n")).size() == 1);
  CHECK(contains(complaints("smarthost: smtp.example.com\n"), "must be smtps://HOST"));
}

TEST_CASE("config: what a provider demands and the configuration does not say is warned of") {
  const std::string doubt = preset_warnings("preset: yahoo", "me@yahoo.com");
  CHECK(contains(doubt, "smarthost yahoo: Yahoo Mail takes only the account's own address as the sender"));
  CHECK(contains(doubt, "write `from: me@yahoo.com`"));
  CHECK(preset_warnings("preset: yahoo, user: me@yahoo.com", "me@yahoo.com") == "");
  CHECK(preset_warnings("preset: yahoo, rewrite: {unless: ['*']}", "me@yahoo.com") == "");
  CHECK(preset_warnings("preset: fastmail", "me@fastmail.com") == "");
  CHECK(contains(preset_warnings("preset: outlook, from: me@outlook.com", "me@outlook.com"),
                 "Outlook.com takes no password at all, only OAuth2"));
  CHECK(contains(preset_warnings("url: 'submission://smtp-mail.outlook.com'", "me@outlook.com"),
                 "only OAuth2"));
  const std::string missing = preset_warnings("preset: sendgrid");
  CHECK(contains(missing, "machine smtp.sendgrid.net login apikey password PASSWORD"));
  CHECK(contains(missing,
                 "Twilio SendGrid wants an API key, and `hikyaku presets sendgrid` says how to get it"));
}

}  // namespace
}  // namespace hikyaku::config
