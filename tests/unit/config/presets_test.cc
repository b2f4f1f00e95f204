// SPDX-License-Identifier: MIT
#include "daemon/config/presets.h"

#include <algorithm>
#include <set>
#include <string>

#include "daemon/base/text.h"
#include "daemon/config/hostname.h"
#include "daemon/config/smarthost_draft.h"
#include "doctest/doctest.h"

namespace hikyaku::config {
namespace {

std::string name_of(const Preset* preset) { return preset == nullptr ? "-" : std::string(preset->name); }

bool is_sentence(std::string_view text) { return text.ends_with('.') && !text.starts_with(' '); }

TEST_CASE("presets: each has a name of its own that can be told from a URL and a host") {
  std::set<std::string> names;
  for (const Preset& preset : presets()) {
    CAPTURE(preset.name);
    CHECK(names.insert(std::string(preset.name)).second);
    CHECK(may_be_preset_name(preset.name));
    CHECK(to_lower(preset.name) == preset.name);
    CHECK(!parse_smarthost_url(preset.name));
    CHECK(!preset.title.empty());
  }
}

TEST_CASE("presets: hosts, ports, other ways in, patterns, domains, MX and rates can be used") {
  for (const Preset& preset : presets()) {
    CAPTURE(preset.name);
    CHECK((preset.host.empty() || (is_host_name(preset.host) && is_full_name(preset.host))));
    CHECK((!preset.host.empty() || !preset.hosts.empty()));
    const bool is_usual = default_port(preset.tls) == preset.port;
    CHECK(is_usual);
    for (std::string_view url : words(preset.also)) {
      CAPTURE(url);
      auto parsed = parse_smarthost_url(url);
      CHECK((parsed && is_full_name(parsed->host)));
    }
    for (std::string_view pattern : words(preset.hosts)) CHECK(pattern.contains('*'));
    for (std::string_view domain : words(preset.domains)) CHECK(is_full_name(domain));
    for (std::string_view end : words(preset.mx)) CHECK(is_full_name(end));
    for (std::string_view rate : split(preset.rates, ','))
      CHECK((preset.rates.empty() || mail::parse_rate(trim(rate))));
  }
}

TEST_CASE("presets: each says how to get its password, where to read on, and how old the knowledge is") {
  for (const Preset& preset : presets()) {
    CAPTURE(preset.name);
    CHECK(is_sentence(preset.steps));
    CHECK((preset.note.empty() || is_sentence(preset.note)));
    CHECK(preset.help.starts_with("https://"));
    CHECK(preset.checked.starts_with("20"));
    CHECK((preset.user.empty() || preset.user_hint.empty()));
  }
}

TEST_CASE("presets: no domain and no MX host belongs to two providers") {
  for (const Preset& preset : presets()) {
    CAPTURE(preset.name);
    for (std::string_view domain : words(preset.domains))
      CHECK(name_of(preset_of_domain(domain)) == preset.name);
    for (std::string_view end : words(preset.mx)) CHECK(name_of(preset_of_mx(end)) == preset.name);
    if (!preset.host.empty()) CHECK(name_of(preset_of_host(preset.host)) == preset.name);
  }
}

TEST_CASE("presets: a provider is recognised by name, host, domain and MX") {
  CHECK(name_of(find_preset("GMail")) == "gmail");
  CHECK(name_of(find_preset("ses-eu-west-1")) == "ses-eu-west-1");
  CHECK(name_of(find_preset("")) == "-");
  CHECK(name_of(preset_of_host("SMTP.gmail.com.")) == "gmail");
  CHECK(name_of(preset_of_host("smtppro.zoho.com")) == "zoho");
  CHECK(name_of(preset_of_host("email-smtp.eu-west-1.amazonaws.com")) == "ses-eu-west-1");
  CHECK(name_of(preset_of_host("email-smtp.xx-new-9.amazonaws.com")) == "ses");
  CHECK(name_of(preset_of_host("example.sakura.ne.jp")) == "sakura");
  CHECK(name_of(preset_of_host(".sakura.ne.jp")) == "-");
  CHECK(name_of(preset_of_host("mail1030.conoha.ne.jp")) == "conoha");
  CHECK(name_of(preset_of_host("smtp.example.com")) == "-");
  CHECK(name_of(preset_of_host("")) == "-");
  CHECK(name_of(preset_of_domain("GoogleMail.com")) == "gmail");
  CHECK(name_of(preset_of_domain("example.com")) == "-");
  CHECK(name_of(preset_of_domain("")) == "-");
  CHECK(name_of(preset_of_mx("alt1.ASPMX.l.google.com.")) == "gmail");
  CHECK(name_of(preset_of_mx("example-com.mail.protection.outlook.com")) == "microsoft365");
  CHECK(name_of(preset_of_mx("outlook-com.olc.protection.outlook.com")) == "outlook");
  CHECK(name_of(preset_of_mx("notgmx.net")) == "-");
  CHECK(name_of(preset_of_mx("")) == "-");
}

TEST_CASE("presets: a misspelt name is answered with the one that was meant") {
  CHECK(explain_unknown_preset("gmial") == "; did you mean `gmail`?");
  CHECK(explain_unknown_preset("ses-eu-west-9").starts_with("; did you mean `ses-eu-west-"));
  CHECK(explain_unknown_preset("something-else-entirely") == "; `hikyaku presets` lists them");
}

TEST_CASE("presets: what one sets is listed under the configuration's keys") {
  auto values = preset_values(*find_preset("sparkpost"));
  auto value_of = [&](std::string_view key) {
    auto found = std::ranges::find(values, key, &PresetValue::key);
    return found == values.end() ? std::string("-") : found->value;
  };
  CHECK(value_of("host") == "smtp.sparkpostmail.com");
  CHECK(value_of("port") == "587");
  CHECK(value_of("tls") == "starttls");
  CHECK(value_of("user") == "SMTP_Injection");
  CHECK(value_of("messages_per_connection") == "100");
  CHECK(value_of("connections") == "-");
}

}  // namespace
}  // namespace hikyaku::config
