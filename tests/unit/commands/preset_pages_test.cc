// SPDX-License-Identifier: MIT
#include "daemon/commands/preset_pages.h"

#include <doctest/doctest.h>

#include "daemon/base/json_value.h"
#include "daemon/base/text.h"
#include "daemon/config/authinfo.h"
#include "daemon/config/load.h"

using namespace hikyaku;
using namespace hikyaku::commands;

namespace {

const config::Preset& preset_named(std::string_view name) {
  const config::Preset* preset = config::find_preset(name);
  REQUIRE(preset != nullptr);
  return *preset;
}

bool is_usable(const config::Preset& preset) {
  return preset.ended.empty() && preset.password != config::PasswordKind::oauth2_only;
}

}  // namespace

TEST_CASE("presets: the lines to paste are a configuration, and its smarthost finds the pasted log-in") {
  for (const config::Preset& preset : config::presets()) {
    CAPTURE(preset.name);
    if (!is_usable(preset)) continue;
    auto settings = config::load_text(preset_yaml(preset), "h.yaml", {"app1.example.com", ""});
    REQUIRE(settings);
    mail::Smarthost smarthost = settings->smarthosts.at(0);
    CHECK(smarthost.preset == preset.name);
    const bool demands_account = preset.demand == config::SenderDemand::account;
    CHECK(smarthost.rewrite.header_from.empty() == !demands_account);

    const std::string page = preset_page(preset);
    const std::size_t machine = page.find("\nmachine ");
    REQUIRE(machine != page.npos);
    auto entries = config::parse_authinfo(page.substr(machine + 1), "authinfo");
    REQUIRE(entries);
    config::attach_credentials(smarthost, *entries);
    CHECK(smarthost.credentials.has_value());
  }
}

TEST_CASE("presets: the page says what the provider wants, what it takes and where to read on") {
  const std::string page = preset_page(preset_named("gmail"));
  for (const char* part :
       {"Gmail\n", "smtp.gmail.com:465, TLS from the first byte", "an app password, not the account's own",
        "https://myaccount.google.com/apppasswords", "takes only the account's own address",
        "all mail leaves with the address in `user`", "rate: 500/day", "  as of     2026-11",
        "hikyaku authinfo add smtp.gmail.com", "  - preset: gmail\n    user: me@gmail.com\n"})
    CHECK_MESSAGE(page.contains(part), page);
  CHECK(preset_page(preset_named("sendgrid")).contains("always `apikey`"));
  CHECK(preset_page(preset_named("ses")).contains("ses-eu-west-1"));
  CHECK(!preset_page(preset_named("outlook")).contains("machine "));
  CHECK(preset_page(preset_named("goo")) == "goo Mail ended on 2026-02-25. goo Mail no longer exists.\n");
}

TEST_CASE("presets: no line of a page is too long for a terminal, but for URLs and lists of them") {
  for (const config::Preset& preset : config::presets())
    for (std::string_view line : split(preset_page(preset), '\n')) {
      CAPTURE(line);
      CHECK((line.size() <= 110 || words(line).size() <= 2));
    }
}

TEST_CASE("presets: the table has a line for each family") {
  const std::string table = preset_table();
  for (const config::Preset& preset : config::presets())
    CHECK(table.contains(cat("\n", preset.name, " ")) == preset.family.empty());
  CHECK(table.contains("Amazon SES (23 regions)"));
  CHECK(table.contains("ended on 2026-02-25"));
}

TEST_CASE("presets: in JSON each has its name, its settings and what it demands") {
  auto json = parse_json(to_json_object(preset_named("mailgun-eu")).text());
  REQUIRE(json);
  CHECK(json->text_of("name") == "mailgun-eu");
  CHECK(json->text_of("family") == "mailgun");
  CHECK(json->text_of("sender") == "registered");
  CHECK(json->text_of("password") == "smtp-credentials");
  REQUIRE(json->find("sets") != nullptr);
  CHECK(json->find("sets")->text_of("host") == "smtp.eu.mailgun.org");
}
