// SPDX-License-Identifier: MIT
// What `hikyaku config show` prints: every key, the same configuration, and where each value comes from.
#include "daemon/config/effective.h"

#include <algorithm>

#include "daemon/config/settings_schema.h"
#include "daemon/config/smarthost_draft.h"
#include "doctest/doctest.h"
#include "tests/unit/config/loading.h"

namespace hikyaku::config {
namespace {

std::vector<EffectiveValue> values_of(std::string_view text) {
  return effective_values(settings_of(text), Source{std::string(text), "h.yaml"});
}

std::string yaml_of(std::string_view text) { return to_yaml(values_of(text)); }

EffectiveValue value_of(std::string_view text, std::string_view path) {
  auto values = values_of(text);
  auto found = std::ranges::find(values, path, &EffectiveValue::path);
  REQUIRE_MESSAGE(found != values.end(), std::string(path));
  return *found;
}

constexpr std::string_view kShort = "smarthost: smtps://smtp.example.com\n";
constexpr std::string_view kRich =
    "hostname: app1.example.com\n"
    "domain: example.com\n"
    "listen: [\"127.0.0.1:2525\", \"[::1]:2525\"]\n"
    "smarthosts:\n"
    "  - name: main\n"
    "    url: submission://smtp.example.com:2587\n"
    "    tls_client_cert: {cert: /a, key: /b}\n"
    "    auth: [PLAIN, LOGIN]\n"
    "    user: \"odd \\\"user\\\" \\\\ # x\"\n"
    "    rate: [14/s, 10000 recipients/day]\n"
    "    rewrite: {envelope_from: a@example.com, unless: [\"*@example.com\"], null_sender: b@example.com}\n"
    "    headers: {add: {X-Tag: \"a: b\"}, remove: [X-Ip]}\n"
    "    dkim: {sign: false, omit: [Message-ID, Date]}\n"
    "    received: private\n"
    "    timeout: {connect: 90s}\n"
    "  - {name: other, host: \"[relay.example.com]\", port: 26, tls: none, from: c@example.com}\n"
    "  - {name: by-mx, host: example.net, lookup: mx}\n"
    "  - \"mx:\"\n"
    "routes:\n"
    "  - {from: [\"*@shop.example.com\", \"<>\"], to: x@example.com, via: [other]}\n"
    "  - {via: [[main, by-mx], direct]}\n"
    "submit: {trusted: [www-data], others: rewrite}\n"
    "queue: {lifetime: 36h, retry: {first: 1500ms, factor: 1.5}, delay_notice: 0, bounce: {return: full}}\n"
    "spool: {min_free: 0}\n"
    "masquerade: [a.example.com]\n"
    "dkim: {directory: /srv/dkim, headers: [From, X-Tag]}\n"
    "dns: 192.0.2.53\n"
    "metrics: 127.0.0.1:9725\n";

// A file may leave `authinfo` and the like away, and what stands there must not be missing.
Settings without_explicitness(Settings settings) {
  settings.listen.is_explicit = settings.authinfo.is_explicit = settings.aliases.is_explicit =
      settings.dkim.is_explicit = true;
  return settings;
}

TEST_CASE("config show: what is printed is a configuration file that means the same") {
  for (std::string_view text :
       {kShort, kRich, std::string_view("smarthost: \"mx:\"\n"),
        std::string_view(
            "smarthost: smtps://a.example\nallow: [10.0.0.0/8, {network: 10.0.0.2, peer: true}]\n"),
        std::string_view("smarthost: smtps://a.example\nfrom: me@example.com\n"),
        std::string_view("smarthost: {preset: gmail, user: me@gmail.com}\n")}) {
    const std::string yaml = yaml_of(text);
    CAPTURE(yaml);
    CHECK(without_explicitness(settings_of(yaml)) == without_explicitness(settings_of(text)));
  }
}

// Keys that say what others say; the others are shown instead.
bool is_short_for_others(std::string_view key) { return key == "smarthost" || key == "from"; }

template <class T>
void check_shown(const Schema<T>& schema, const std::string& yaml) {
  for (const Key<T>& key : schema) {
    CAPTURE(key.name);
    CHECK(key.read.can_show());
    const bool is_shown = contains(cat("\n", yaml), cat("\n", key.name, ":")) ||
                          contains(yaml, cat(" ", key.name, ":")) || contains(yaml, cat("#", key.name, ":"));
    const bool is_url = key.name == "url";  // of a smarthost; the spool's is shown
    CHECK((is_url || is_shown == !is_short_for_others(key.name)));
  }
}

TEST_CASE("config show: every key of the tables is there, set or not") {
  const std::string yaml = yaml_of(kShort);
  check_shown(document_schema(), yaml);
  check_shown(smarthost_schema(), yaml);
  auto values = values_of(kShort);
  for (const std::string& key : setting_keys()) {
    CAPTURE(key);
    const bool is_listed = std::ranges::find(values, key, &EffectiveValue::path) != values.end();
    CHECK(is_listed == !is_short_for_others(key));
  }
}

TEST_CASE("config show: each value says where it comes from") {
  CHECK(value_of(kShort, "smarthosts[0].host").origin == "h.yaml:1");
  CHECK(value_of(kShort, "smarthosts[0].port").value == "465");
  CHECK(value_of(kShort, "smarthosts[0].port").origin == "h.yaml:1");
  CHECK(value_of(kShort, "smarthosts[0].connections").origin == "default");
  CHECK(value_of(kShort, "queue.retry.max").value == "1h");
  CHECK(value_of(kShort, "queue.retry.max").origin == "default");
  CHECK(value_of(kRich, "queue.retry.first").origin == "h.yaml:23");
  CHECK(value_of(kRich, "smarthosts[0].tls").origin == "h.yaml:6");
  CHECK(value_of(kRich, "smarthosts[0].timeout.connect").origin == "h.yaml:15");
  CHECK(value_of(kRich, "smarthosts[0].timeout.data").origin == "default");
  CHECK(value_of(kRich, "smarthosts[1].rewrite.header_from").origin == "h.yaml:16");
  CHECK(value_of(kRich, "smarthosts[3].url").origin == "h.yaml:18");
  const std::string_view with_from = "from: me@example.com\nsmarthost: smtps://a.example\n";
  CHECK(value_of(with_from, "smarthosts[0].rewrite.envelope_from").origin == "h.yaml:1");
}

TEST_CASE("config show: what a preset says, and what the file says instead") {
  const std::string_view text = "smarthost: {preset: gmail, user: me@gmail.com, connections: 7}\n";
  CHECK(value_of(text, "smarthosts[0].preset").origin == "h.yaml:1");
  CHECK(value_of(text, "smarthosts[0].host").value == "smtp.gmail.com");
  CHECK(value_of(text, "smarthosts[0].host").origin == "preset gmail");
  CHECK(value_of(text, "smarthosts[0].rewrite.header_from").value == "me@gmail.com");
  CHECK(value_of(text, "smarthosts[0].rewrite.header_from").origin == "preset gmail");
  CHECK(value_of(text, "smarthosts[0].connections").origin == "h.yaml:1");
  CHECK(value_of("smarthost: gmail\n", "smarthosts[0].preset").origin == "h.yaml:1");
  CHECK(value_of("smarthost: gmail\n", "smarthosts[0].port").origin == "preset gmail");
}

TEST_CASE("config show: a password is masked, and the user comes from authinfo") {
  Settings settings = settings_of(kShort);
  settings.smarthosts[0].credentials = mail::Credentials{.authzid = "",
                                                         .user = "me",
                                                         .password = Secret("hunter2"),
                                                         .realm = "",
                                                         .mechanisms = {},
                                                         .origin = "authinfo:3"};
  const std::string yaml = to_yaml(effective_values(settings, Source{std::string(kShort), "h.yaml"}));
  CHECK(contains(yaml, "    user: me                                    # authinfo:3\n"));
  CHECK(contains(yaml, "#    password: ********                         # authinfo:3\n"));
  CHECK(!contains(yaml, "hunter2"));
  CHECK(settings_of(yaml).smarthosts[0].user == "me");
}

TEST_CASE("config show: a line of it") {
  const std::string yaml = yaml_of(kShort);
  CHECK(contains(yaml, "smarthosts:\n  - name: smtp.example.com                      # default\n"));
  CHECK(contains(yaml, "\n    host: smtp.example.com                      # h.yaml:1\n"));
  CHECK(contains(yaml, "#local_mail:                                    # not set\n"));
  CHECK(contains(yaml, "message:\n  max_size: 50MiB                               # default\n"));
}

}  // namespace
}  // namespace hikyaku::config
