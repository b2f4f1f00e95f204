// SPDX-License-Identifier: MIT
// Whose mail a check tries, to whom, and over a real connection.
#include "daemon/checkup/checkup.h"

#include <doctest/doctest.h>

using namespace hikyaku;
using namespace hikyaku::checkup;

namespace {

config::Settings settings() {
  config::Settings settings;
  settings.hostname = settings.domain = "app.example";
  return settings;
}

}  // namespace

TEST_CASE("checkup: the usual sender is root, as the world sees it") {
  config::Settings usual = settings();
  CHECK(usual_sender(usual) == "root@app.example");
}

TEST_CASE("checkup: the usual recipient is where root's mail goes") {
  config::Settings usual = settings();
  mail::Aliases aliases;
  CHECK(usual_recipient(usual, aliases) == "root@app.example");
  usual.local_mail = "all@shop.example";
  CHECK(usual_recipient(usual, aliases) == "all@shop.example");
  aliases.add("root", {{.kind = mail::AliasTargetKind::address, .text = "me@shop.example", .line = 1}});
  CHECK(usual_recipient(usual, aliases) == "me@shop.example");
}

TEST_CASE("checkup: a name stands for the address that aliases have for it, and an address for itself") {
  config::Settings usual = settings();
  usual.local_mail = "all@shop.example";
  mail::Aliases aliases;
  aliases.add("ops", {{.kind = mail::AliasTargetKind::address, .text = "me@shop.example", .line = 1}});
  auto goes_to = [&](const std::string& address, bool is_bare) {
    return where_mail_goes(usual, aliases,
                           {.address = address, .notify = {}, .orcpt = {}, .is_bare = is_bare},
                           [](const std::string& name) { return name == "anna"; });
  };
  CHECK(goes_to("ops@app.example", true) == "me@shop.example");
  CHECK(goes_to("anna@app.example", true) == "all@shop.example");
  CHECK(goes_to("bob@app.example", true) == "bob@app.example");
  CHECK(goes_to("you@elsewhere.example", false) == "you@elsewhere.example");
}

TEST_CASE("checkup: a check dials by itself, and never this machine's own daemon") {
  SystemClock clock;
  io::Loop loop(clock);
  config::Settings usual = settings();
  usual.listen.endpoints = {*Endpoint::parse("127.0.0.1:2525")};
  mail::Smarthost smarthost;
  smarthost.name = "main";
  smarthost.host = "127.0.0.1";
  smarthost.port = 1;  // tcpmux: nobody listens there
  smarthost.tls.mode = mail::TlsMode::none;
  usual.smarthosts = {smarthost};
  Report report = loop.run(check_smarthost(
      loop, {.settings = usual, .credentials = {}, .recipient = "a@b.example"}, usual.smarthosts[0], {}));
  REQUIRE(report.steps.size() == 1);
  CHECK(report.steps[0].text.starts_with("nobody listens on 127.0.0.1:1"));
}
