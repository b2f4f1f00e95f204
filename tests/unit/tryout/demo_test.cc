// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "daemon/base/text.h"
#include "daemon/config/authinfo.h"
#include "daemon/config/load.h"
#include "daemon/config/warnings.h"
#include "daemon/system/files.h"
#include "daemon/system/temporary_directory.h"
#include "daemon/tryout/demo_files.h"
#include "daemon/tryout/demo_screen.h"

using namespace hikyaku;
using namespace hikyaku::tryout;

namespace {

struct Shown {
  std::string text;
  DemoScreen screen{[this](std::string_view piece) { text += piece; }, false};
};

}  // namespace

TEST_CASE("app: the demo's configuration is one that hikyakud understands") {
  DemoFacts facts{"/tmp/place", 2525, "/tmp/place/cert.pem", true};
  auto settings = config::load_text(demo_configuration(facts), "hikyaku.yaml", {"app1.example.com"});
  REQUIRE(settings);
  CHECK(settings->user == "nobody");
  CHECK(settings->smarthosts[0].port == 2525);
  CHECK(settings->smarthosts[0].tls.mode == mail::TlsMode::starttls);
  CHECK(settings->smarthosts[0].tls.verify);
  CHECK(settings->smarthosts[0].tls.ca_file == "/tmp/place/cert.pem");
  CHECK(config::warnings(*settings, {}).empty());
  facts.as_root = false;
  CHECK(config::load_text(demo_configuration(facts), "hikyaku.yaml", {"app1.example.com"})->user.empty());
}

TEST_CASE("app: the demo's credentials are found for its smarthost") {
  auto entries = config::parse_authinfo(demo_authinfo({"/tmp/place", 2525, "", false}, "hush"), "authinfo");
  REQUIRE(entries);
  auto found = config::find_credentials(*entries, {.host = "127.0.0.1", .port = 2525});
  REQUIRE(found);
  CHECK(found->user == kDemoAccount);
  CHECK(found->password.reveal() == "hush");
}

TEST_CASE("app: the demo's message needs nothing added, and has what mail programs get wrong") {
  ManualClock clock;
  std::string message = demo_message(clock.wall());
  for (const char* field : {"From: ", "Date: ", "Message-ID: <"})
    CHECK(message.find(field) != std::string::npos);
  CHECK(message.find("\r\n.\r\n") != std::string::npos);
  CHECK(message.find("\r\n..") != std::string::npos);
  CHECK_FALSE(is_ascii(message));
  CHECK(message.ends_with("\r\n"));
}

TEST_CASE("app: the demo finds what arrived by what was sent") {
  system::TemporaryDirectory place("hikyaku-demo-test");
  system::write_new_file(place.file("a.eml"), "one");
  system::write_new_file(place.file("b.eml"), "two");
  system::write_new_file(place.file("c.json"), "three");
  CHECK(mail_with(place.path(), "wo") == "two");
  CHECK(mail_with(place.path(), "three").empty());
}

TEST_CASE("app: the demo's script leaves its header to the daemon, and has a line of one dot") {
  std::string message = demo_script_message();
  CHECK(message.find("\r") == std::string::npos);
  CHECK(message.find("\n.\n") != std::string::npos);
  for (const char* field : {"From:", "Date:", "Message-ID:"}) CHECK(message.find(field) == std::string::npos);
}

TEST_CASE("app: the demo's steps are numbered and its texts indented") {
  Shown shown;
  shown.screen.title("Title");
  shown.screen.step("first");
  shown.screen.text("a\r\n\r\n\tb\n");
  shown.screen.step("second");
  CHECK(shown.text == "Title\n\n 1. first\n\n     a\n\n         b\n\n 2. second\n\n");
}

TEST_CASE("app: the demo shows no control character of anybody's") {
  Shown shown;
  shown.screen.line("S: 220 \x1b[2J");
  CHECK(shown.text == "     S: 220 \\x1b[2J\n");
}

TEST_CASE("app: a long line is broken at blanks, never inside a word") {
  Shown shown;
  std::string word(60, 'w');
  shown.screen.wrapped(cat(word, " ", word, " ", std::string(200, 'x')));
  CHECK(shown.text == cat("     ", word, "\n         ", word, "\n         ", std::string(200, 'x'), "\n"));
}

TEST_CASE("app: headings stand out on a terminal") {
  std::string text;
  DemoScreen screen([&text](std::string_view piece) { text += piece; }, true);
  screen.title("Title");
  CHECK(text == "\x1b[1mTitle\x1b[0m\n");
}
