// SPDX-License-Identifier: MIT
// The configurations that README.md and etc/hikyaku.yaml show: each can be used, and does what its text says.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <vector>

#include "daemon/base/text.h"
#include "daemon/commands/explain.h"
#include "daemon/config/load.h"

using namespace hikyaku;
using namespace hikyaku::commands;

namespace {

std::string text_of(const char* path) {
  std::ifstream in(cat(HIKYAKU_TESTS_DIR, "/../", path));
  REQUIRE(in);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// What stands between ```yaml and ``` in lines of their own.
std::vector<std::string> readme_examples() {
  std::vector<std::string> examples;
  bool is_inside = false;
  const std::string text = text_of("README.md");
  for (std::string_view line : split(text, '\n')) {
    if (line == "```yaml") examples.emplace_back();
    is_inside = line.starts_with("```") ? line == "```yaml" : is_inside;
    if (is_inside && line != "```yaml") examples.back() += cat(line, "\n");
  }
  return examples;
}

// The blocks behind the last heading, each with a line of comment in front.
std::vector<std::string> etc_examples() {
  std::vector<std::string> examples;
  const std::string text = text_of("etc/hikyaku.yaml");
  const std::size_t heading = text.find("\n# ---- Examples");
  REQUIRE(heading != text.npos);
  for (std::string_view line : split(std::string_view(text).substr(text.find("\n\n", heading) + 2), '\n')) {
    const bool is_title = line.starts_with("# ") && !line.starts_with("#  ");
    if (is_title) examples.emplace_back();
    if (!is_title && !line.empty()) examples.back() += cat(line.substr(1), "\n");
  }
  return examples;
}

config::Settings loaded_example(const std::string& text) {
  auto settings = config::load_text(text, "example.yaml", {"app1.example.com", ""});
  for (const config::Problem& problem : settings ? config::Problems{} : settings.error())
    FAIL(text, config::to_text(problem));
  return *settings;
}

std::string explained_example(const std::string& text, std::string from, std::string to) {
  const config::Settings settings = loaded_example(text);
  auto explanation =
      explain(settings, {},
              {.from = std::move(from), .to = {std::move(to)}, .message = "From: App <app@x.example>\n\n"},
              std::nullopt, [](const std::string&) { return false; });
  return explanation ? to_text(*explanation) : explanation.error();
}

struct Shown {
  const char* key;  // a word that only this example has
  const char* from;
  const char* to;
  std::vector<const char*> said;  // by `explain`
};

// In etc/hikyaku.yaml.
const Shown kShown[] = {
    {"gmail",
     "root@app1.example.com",
     "you@dest.example",
     {"smtp.gmail.com port 465", "MAIL FROM:<shop@gmail.com>", "From: App <shop@gmail.com>",
      "Reply-To: App <app@x.example>"}},
    {"spmode", "", "you@dest.example", {"smtp.spmode.ne.jp port 465", "MAIL FROM:<shop@docomo.ne.jp>"}},
    {"amazonaws",
     "root@app1.example.com",
     "you@dest.example",
     {"MAIL FROM:<noreply@shop.example.com>", "X-SES-CONFIGURATION-SET: main"}},
    {"amazonaws", "orders@shop.example.com", "you@dest.example", {"MAIL FROM:<orders@shop.example.com>"}},
    {"user: shop@",
     "orders@shop.example.com",
     "you@dest.example",
     {"route 1", "via  shop (smtp.provider.example port 587)"}},
    {"user: shop@",
     "anna@office.example.com",
     "you@dest.example",
     {"route 2", "via  office (smtp.provider.example port 587)"}},
    {"exchange",
     "anna@office.example.com",
     "ben@intranet.example.com",
     {"via  exchange (exchange.intranet.example.com port 25)"}},
    {"exchange",
     "anna@office.example.com",
     "you@dest.example",
     {"via  provider (smtp.provider.example port 587)"}},
    {"hub2",
     "anna@office.example.com",
     "you@dest.example",
     {"hub1.example.com port 25", "hub2.example.com port 25"}},
    {"mx:", "anna@office.example.com", "you@dest.example", {"dest.example", "port 25"}},
};

}  // namespace

TEST_CASE("examples: each in etc/hikyaku.yaml does what its title says") {
  const std::vector<std::string> examples = etc_examples();
  CHECK(examples.size() == 7);
  for (const std::string& example : examples) {
    CAPTURE(example);
    CHECK(std::ranges::count_if(kShown, [&](const Shown& shown) { return example.contains(shown.key); }) > 0);
  }
  for (const Shown& shown : kShown) {
    CAPTURE(shown.key);
    auto is_meant = [&](const std::string& example) { return example.contains(shown.key); };
    REQUIRE(std::ranges::count_if(examples, is_meant) == 1);
    const std::string said =
        explained_example(*std::ranges::find_if(examples, is_meant), shown.from, shown.to);
    CAPTURE(said);
    for (const char* words : shown.said) CHECK(said.contains(words));
  }
}

TEST_CASE("examples: each in README.md can be used, and has a way for every mail") {
  const std::vector<std::string> examples = readme_examples();
  CHECK(examples.size() >= 11);
  for (const std::string& example : examples) {
    for (const char* from : {"", "root@app1.example.com", "orders@shop.example.com"}) {
      const std::string said = explained_example(example, from, "you@dest.example");
      CAPTURE(said);
      CHECK(said.contains("  via  "));
      CHECK(said.contains("RCPT TO:<you@dest.example>"));
    }
  }
}
