// SPDX-License-Identifier: MIT
#include "daemon/relay/routes.h"

#include <doctest/doctest.h>

#include "tests/unit/relay/relay_rig.h"

using namespace hikyaku;
using namespace hikyaku::relay;
using namespace hikyaku::test;

namespace {

mail::AddressPatterns pattern(std::string_view text) { return {*mail::AddressPattern::parse(text)}; }

// Smarthosts main and other; mail to *@other.example takes the second.
struct RoutesRig : RelayRig {
  RoutesRig() {
    settings.smarthosts = {some_smarthost("main"), some_smarthost("other")};
    settings.routes = {{.to = pattern("*@other.example"), .via = {{"other"}}}, {.via = {{"main"}}}};
  }
  std::vector<std::string> got(const std::string& name) {
    std::vector<std::string> all;
    for (const ReceivedMail& mail : hosts[name].mails)
      all.insert(all.end(), mail.recipients.begin(), mail.recipients.end());
    std::ranges::sort(all);
    return all;
  }
  void refuse(const std::string& name, const std::string& command, const std::string& reply) {
    hosts[name].answer = [=](const std::string& said) { return said.starts_with(command) ? reply : ""; };
  }
  void agree(const std::string& name) {
    hosts[name].answer = [](const std::string&) { return ""; };
  }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE(
    "routes: each recipient of a mail is sent the way of the first row that fits, and the mail ends once") {
  RoutesRig rig;
  rig.start_relay();
  rig.send({"a@net.example", "b@other.example", "c@OTHER.example", "d@net.example"});
  rig.pass();
  CHECK(rig.got("main") == Names{"a@net.example", "d@net.example"});
  CHECK(rig.got("other") == Names{"b@other.example", "c@OTHER.example"});
  CHECK(rig.main().mails.size() == 1);
  CHECK(rig.queued().empty());
  CHECK(rig.relay->queued() == 0);
}

TEST_CASE("routes: the sender chooses too, and both have to fit") {
  RoutesRig rig;
  rig.settings.routes = {
      {.from = pattern("*@shop.example"), .to = pattern("*@other.example"), .via = {{"other"}}},
      {.via = {{"main"}}}};
  rig.start_relay();
  rig.send({"a@other.example"}, "x@shop.example");
  rig.send({"b@net.example"}, "x@shop.example");
  rig.send({"c@other.example"}, "x@office.example");
  rig.pass();
  CHECK(rig.got("other") == Names{"a@other.example"});
  CHECK(rig.got("main") == Names{"b@net.example", "c@other.example"});
}

TEST_CASE(
    "routes: a smarthost that is down holds up its own recipients only, and their time does not count") {
  RoutesRig rig;
  rig.hosts["other"].is_down = true;
  rig.start_relay();
  rig.send({"a@net.example", "b@other.example"});
  rig.send({"c@net.example"});
  rig.pass();
  CHECK(rig.got("main") == Names{"a@net.example", "c@net.example"});
  CHECK(rig.queued().size() == 1);
  CHECK(rig.relay->queued() == 1);
  rig.pass(24h * 7);
  CHECK(rig.lines_with("kind=") == 0);  // neither failed nor late
  rig.hosts["other"].is_down = false;
  rig.pass(10min);
  CHECK(rig.got("other") == Names{"b@other.example"});
  CHECK(rig.got("main") == Names{"a@net.example", "c@net.example"});
  CHECK(rig.queued().empty());
}

TEST_CASE("routes: what one way defers is tried again by itself, and what has arrived is not sent twice") {
  RoutesRig rig;
  rig.start_relay();
  rig.send({"z@other.example"});
  rig.pass();  // proven
  rig.refuse("other", "RCPT", "450 4.2.1 later");
  rig.send({"a@net.example", "b@other.example"});
  rig.pass();
  CHECK(rig.got("main") == Names{"a@net.example"});
  CHECK(rig.relay->queued() == 1);
  rig.agree("other");
  rig.pass(5min);
  CHECK(rig.got("other") == Names{"b@other.example", "z@other.example"});
  CHECK(rig.got("main") == Names{"a@net.example"});
  CHECK(rig.queued().empty());
}

TEST_CASE("routes: a part that fails bounces for its recipients alone, while others still wait") {
  RoutesRig rig;
  rig.start_relay();
  rig.send({"z@other.example"});
  rig.send({"y@net.example"});
  rig.pass();
  rig.refuse("main", "RCPT TO:<a@", "450 4.2.1 later");
  rig.refuse("other", "RCPT", "550 5.1.1 nobody");
  rig.send({"a@net.example", "b@other.example"});
  rig.pass();
  CHECK(rig.lines_with("status=failed") == 1);
  CHECK(rig.lines_with("kind=failed") == 1);
  rig.agree("main");
  rig.pass(5min);
  CHECK(std::ranges::count(rig.got("main"), "a@net.example") == 1);
  CHECK(rig.queued().empty());
}

TEST_CASE("routes: parts survive a restart, each recipient with what has become of it") {
  RoutesRig rig;
  rig.hosts["other"].is_down = true;
  rig.start_relay();
  rig.send({"a@net.example", "b@other.example"});
  rig.pass();
  rig.stop_relay();
  rig.hosts["other"].is_down = false;
  rig.start_relay();
  rig.pass(1min);
  CHECK(rig.got("main") == Names{"a@net.example"});
  CHECK(rig.got("other") == Names{"b@other.example"});
  CHECK(rig.queued().empty());
}

TEST_CASE("routes: a reload sends what is queued the new way") {
  RoutesRig rig;
  rig.hosts["other"].is_down = true;
  rig.start_relay();
  rig.send({"a@net.example", "b@other.example"});
  rig.send({"c@other.example"});
  rig.pass();
  CHECK(rig.got("main") == Names{"a@net.example"});
  rig.settings.routes = {{.via = {{"main"}}}};
  rig.reload();
  rig.pass();
  CHECK(rig.got("main") == Names{"a@net.example", "b@other.example", "c@other.example"});
  CHECK(rig.queued().empty());
  rig.hosts["other"].is_down = false;
  rig.settings.routes = {{.to = pattern("*@other.example"), .via = {{"other"}}}, {.via = {{"main"}}}};
  rig.reload();
  rig.send({"d@other.example", "e@net.example"});
  rig.pass();
  CHECK(rig.got("other") == Names{"d@other.example"});
  CHECK(rig.queued().empty());
}

TEST_CASE("routes: smarthosts in an inner list share the load, and one takes all while the other is down") {
  RoutesRig rig;
  rig.settings.routes = {{.via = {{"main", "other"}}}};
  rig.start_relay();
  for (int i = 0; i < 20; ++i) {
    rig.send({cat("a", std::to_string(i), "@net.example")});
    rig.pass(10s);  // one at a time: neither is ever busy
  }
  CHECK(rig.hosts["main"].mails.size() == 10);
  CHECK(rig.hosts["other"].mails.size() == 10);
  rig.hosts["other"].is_down = true;
  rig.hosts["other"].breaks_off = true;
  for (int i = 0; i < 10; ++i) rig.send({cat("b", std::to_string(i), "@net.example")});
  rig.pass(1min);
  rig.hosts["other"].breaks_off = rig.hosts["other"].is_down = false;
  CHECK(rig.hosts["main"].mails.size() + rig.hosts["other"].mails.size() == 30);
  CHECK(rig.lines_with("smarthost paused") == 1);
  rig.pass(10min);
  for (int i = 0; i < 10; ++i) rig.send({cat("c", std::to_string(i), "@net.example")});
  rig.pass(1min);
  CHECK(rig.hosts["main"].mails.size() + rig.hosts["other"].mails.size() == 40);
  CHECK(rig.hosts["other"].mails.size() > 10);  // it is back
  CHECK(rig.queued().empty());
}

TEST_CASE("routes: what a smarthost cannot take goes to the next that can, and bounces only when none can") {
  for (bool can_next : {true, false}) {
    CAPTURE(can_next);
    RoutesRig rig;
    rig.settings.routes = {{.via = {{"main"}, {"other"}}}};
    rig.hosts["main"].keywords = "250-PIPELINING\r\n250 SIZE 10\r\n";
    rig.hosts["other"].keywords = can_next ? "250 SIZE 10000\r\n" : "250 SIZE 11\r\n";
    rig.start_relay();
    rig.send({"a@net.example", "b@net.example"});
    rig.pass();
    CHECK(rig.hosts["main"].mails.empty());
    CHECK(rig.hosts["other"].mails.size() == (can_next ? 1 : 0));
    CHECK(rig.lines_with("status=failed") == (can_next ? 0 : 3));  // the notice, too, is too large
    CHECK(rig.lines_with("kind=failed") == (can_next ? 0 : 1));
  }
}

TEST_CASE("routes: of one mail only the recipients that a smarthost cannot take go on to the next") {
  RoutesRig rig;
  rig.settings.routes = {{.via = {{"main"}, {"other"}}}};
  rig.hosts["other"].keywords = "250-8BITMIME\r\n250 SMTPUTF8\r\n";
  rig.start_relay();
  rig.send({"a@net.example", "\xc3\xbc@net.example"});
  rig.pass();
  CHECK(rig.got("main") == Names{"a@net.example"});
  CHECK(rig.got("other") == Names{"\xc3\xbc@net.example"});
  CHECK(rig.lines_with("status=failed") == 0);
  CHECK(rig.queued().empty());
}
