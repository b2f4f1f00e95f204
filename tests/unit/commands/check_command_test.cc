// SPDX-License-Identifier: MIT
// `hikyaku check` from its arguments to its exit code, with a smarthost that nobody is.
#include <doctest/doctest.h>

#include <cstdio>

#include "daemon/base/json_value.h"
#include "daemon/base/text.h"
#include "daemon/commands/trials.h"
#include "tests/support/accounts.h"
#include "tests/unit/control/control_rig.h"

using namespace hikyaku;
using namespace hikyaku::test;
using namespace hikyaku::commands;

namespace {

struct CheckPlace {
  explicit CheckPlace(const std::string& more = "") {
    system::write_new_file(place.file("authinfo"), "machine 127.0.0.1 login me@shop.example password hush\n");
    system::write_new_file(place.file("aliases"), "root: me@shop.example\n");
    system::write_new_file(
        config,
        cat("smarthosts: [{name: main, host: 127.0.0.1, port: 1, tls: none, allow_plaintext_auth: true}, ",
            "{name: other, host: 127.0.0.1, port: 2, tls: none, auth: none}]\n",
            "hostname: app.shop.example\ndomain: shop.example\nauthinfo: ", place.file("authinfo"),
            "\naliases: ", place.file("aliases"), "\nspool: {directory: ", place.path(), "}\n", more));
  }

  Ran run(CheckOptions options) {
    options.config = config;
    std::fflush(stdout);
    Captured captured(place.path());
    const int exit = static_cast<int>(run_check(options, {.find = nobody_there}));
    std::fflush(stdout);
    return {exit, captured.out(), captured.err()};
  }

  system::TemporaryDirectory place{"hikyaku-test"};
  std::string config = place.file("hikyaku.yaml");
};

bool says(const std::string& text, std::string_view words) { return text.find(words) != text.npos; }

}  // namespace

TEST_CASE("check: each smarthost is tried, and one that fails is enough for exit code 1") {
  CheckPlace place;
  const Ran ran = place.run({});
  CHECK(ran.exit == 1);
  CHECK(ran.err == "");
  CHECK(ran.out.starts_with("main: 127.0.0.1 port 1, no TLS, logs in as me@shop.example ("));
  CHECK(says(ran.out, "nobody listens on 127.0.0.1:1"));
  CHECK(says(ran.out, "  mail cannot be sent through main\nother: 127.0.0.1 port 2, no TLS, no log-in\n"));
  CHECK(says(ran.out, "\nwarning: smarthost main: `tls: none` sends mail unencrypted"));
  CHECK_FALSE(says(ran.out, "hush"));
}

TEST_CASE("check: a name chooses one, and says nothing of the others") {
  CheckPlace place;
  const Ran ran = place.run({.name = "OTHER"});
  CHECK(ran.exit == 1);
  CHECK_FALSE(says(ran.out, "main"));
  const Ran none = place.run({.name = "third"});
  CHECK(none.exit == static_cast<int>(Exit::usage));
  CHECK(none.err == "hikyaku check: there is no smarthost 'third' in the configuration, but main, other\n");
}

TEST_CASE("check: as JSON it is one object") {
  CheckPlace place;
  const Ran ran = place.run({.json = true});
  auto json = parse_json(ran.out);
  REQUIRE(json);
  const JsonValue* smarthosts = json->find("smarthosts");
  REQUIRE((smarthosts != nullptr && smarthosts->list() != nullptr));
  REQUIRE(smarthosts->list()->size() == 2);
  const JsonValue& first = smarthosts->list()->front();
  CHECK(first.text_of("smarthost") == "main");
  CHECK(first.text_of("host") == "127.0.0.1");
  CHECK(says(ran.out, R"("port":1,"usable":false,"steps":[{"step":"connection","ok":false,)"));
  REQUIRE(first.find("failure") != nullptr);
  CHECK(first.find("failure")->text_of("kind") == "refused");
  CHECK(first.find("failure")->text_of("stage") == "connect");
}

TEST_CASE("check: what cannot be understood is told before anything is dialled") {
  CheckPlace place;
  const Ran address = place.run({.send_to = "no address"});
  CHECK(address.exit == static_cast<int>(Exit::usage));
  CHECK(address.err == "hikyaku check: 'no address' is no mail address\n");
  const Ran broken = CheckPlace("levle: x\n").run({});
  CHECK(broken.exit == static_cast<int>(Exit::configuration));
  CHECK(says(broken.err, ":7:1: levle: unknown key"));
  CHECK(broken.out == "");
}
