// SPDX-License-Identifier: MIT
// The documented defaults are the defaults, the documented keys are all keys, and the examples work.
#include "daemon/config/authinfo.h"
#include "daemon/config/read_file.h"
#include "daemon/config/settings_schema.h"
#include "daemon/config/smarthost_draft.h"
#include "doctest/doctest.h"
#include "tests/unit/config/loading.h"

namespace hikyaku::config {
namespace {

std::string example(const char* name) {
  auto file = read_file(cat(HIKYAKU_TESTS_DIR, "/../etc/", name));
  REQUIRE(file);
  return file->text;
}

// Without the whole files at its end; tests/unit/commands/examples_test.cc has those.
std::string documented_keys() {
  std::string text = example("hikyaku.yaml");
  return text.substr(0, text.find("\n# ---- Examples"));
}

// Comments are "# text"; what is commented out begins right after the "#".
std::string uncommented(const std::string& text) {
  std::string lines;
  for (std::string_view line : split(text, '\n')) {
    bool is_commented_out = line.size() > 1 && line[0] == '#' && (line[1] != ' ' || line.starts_with("#  "));
    lines += cat(is_commented_out ? line.substr(1) : line, "\n");
  }
  return lines;
}

std::string without_line(const std::string& text, std::string_view beginning) {
  std::string lines;
  for (std::string_view line : split(text, '\n'))
    if (!line.starts_with(beginning)) lines += cat(line, "\n");
  return lines;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  std::size_t at = text.find(from);
  REQUIRE_MESSAGE(at != text.npos, std::string(from));
  return text.replace(at, from.size(), to);
}

// All keys written out; the values that are no defaults, but examples, given a form that can be loaded.
std::string written_out() {
  std::string text = without_line(uncommented(documented_keys()), "smarthost: ");
  text = without_line(text, "from: ");  // beside `smarthost` alone
  for (const char* url : {"   s", "   NAME", "   mx:"})
    text = without_line(text, url);  // the explanation of URLs
  for (const char* row : {"routes:", "  - {from:", "  - {to:", "  - {via:"}) text = without_line(text, row);
  return replaced(text, "sha256:…", cat("sha256:", std::string(64, 'a')));
}

TEST_CASE("etc/hikyaku.yaml: as it stands it is the one-line configuration") {
  CHECK(settings_of(example("hikyaku.yaml")) == settings_of("smarthost: smtps://smtp.example.com\n"));
}

TEST_CASE("etc/hikyaku.yaml: every default that it shows is the default") {
  Settings shown = settings_of(written_out());
  Settings defaults = settings_of("smarthost: {name: main, host: smtp.example.com, port: 587}\n");
  CHECK(shown.listen.endpoints == defaults.listen.endpoints);
  CHECK(shown.allow == defaults.allow);
  CHECK(shown.authinfo.path == defaults.authinfo.path);
  CHECK(shown.oauth_directory == defaults.oauth_directory);
  CHECK(shown.local_mail == defaults.local_mail);
  CHECK(shown.senders == defaults.senders);
  CHECK(shown.masquerade == defaults.masquerade);
  CHECK(shown.copy_to == defaults.copy_to);
  CHECK(shown.runtime_directory == defaults.runtime_directory);
  CHECK(shown.shutdown_grace == defaults.shutdown_grace);
  CHECK(shown.message == defaults.message);
  CHECK(shown.spool == defaults.spool);
  CHECK(shown.node == defaults.node);
  CHECK(shown.memory == defaults.memory);
  CHECK(shown.limits == defaults.limits);
  CHECK(shown.submit == defaults.submit);
  CHECK(shown.queue == defaults.queue);
  CHECK(shown.control == defaults.control);
  CHECK(shown.log == defaults.log);
  CHECK(shown.dkim.directory == defaults.dkim.directory);
  CHECK(shown.dkim.headers == defaults.dkim.headers);
  CHECK(shown.dns == defaults.dns);
  CHECK(shown.metrics == defaults.metrics);
}

TEST_CASE("etc/hikyaku.yaml: every default of a smarthost that it shows is the default") {
  mail::Smarthost shown = settings_of(written_out()).smarthosts.at(0);
  mail::Smarthost defaults =
      settings_of("smarthost: {name: main, host: smtp.example.com, port: 587}\n").smarthosts[0];
  // Examples, not defaults.
  shown.tls.hostname = shown.tls.ca_file = shown.tls.fingerprint = shown.tls.client_cert =
      shown.tls.client_key = "";
  shown.user = shown.preset = "";
  shown.oauth.reset();
  shown.rates.clear();
  CHECK(shown.dkim.sign == defaults.dkim.sign);
  shown.dkim.omit.clear();
  CHECK(shown.rewrite.keep_original == defaults.rewrite.keep_original);
  CHECK(shown.rewrite.null_sender == defaults.rewrite.null_sender);
  CHECK(shown.rewrite.is_received_private == defaults.rewrite.is_received_private);
  shown.rewrite = {};
  CHECK(shown == defaults);
}

template <class T>
void check_documented(const Schema<T>& schema, const std::string& text) {
  for (const Key<T>& key : schema) {
    CAPTURE(key.name);
    bool is_shown = contains(text, cat("\n", key.name, ":")) || contains(text, cat(" ", key.name, ": "));
    CHECK(is_shown);
  }
}

TEST_CASE("etc/hikyaku.yaml: every key is there") {
  std::string text = uncommented(documented_keys());
  check_documented(document_schema(), text);
  check_documented(smarthost_schema(), text);
}

TEST_CASE("etc/authinfo.example: as it stands it has no entry, and each example is one") {
  std::string text = example("authinfo.example");
  CHECK(parse_authinfo(text, "f")->empty());
  std::string lines;
  for (std::string_view line : split(text, '\n'))
    if (line.size() > 1 && line[1] != ' ') lines += cat(line.substr(1), "\n");
  auto entries = parse_authinfo(lines, "f");
  REQUIRE(entries);
  CHECK(entries->size() == 8);
  for (const AuthinfoEntry& entry : *entries) CHECK(entry.credentials.user == "me@example.com");
}

}  // namespace
}  // namespace hikyaku::config
