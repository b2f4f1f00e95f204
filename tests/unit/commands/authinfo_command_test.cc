// SPDX-License-Identifier: MIT
#include "daemon/base/text.h"
#include "daemon/commands/commands.h"
#include "daemon/system/files.h"
#include "tests/support/spool_rig.h"

using namespace hikyaku;
using namespace hikyaku::test;
using namespace hikyaku::commands;

namespace {

struct AuthinfoRig {
  system::TemporaryDirectory place{"hikyaku-authinfo"};
  std::string config = place.file("h.yaml");
  std::string authinfo = place.file("authinfo");

  AuthinfoRig() {
    system::write_new_file(config, cat("smarthost: smtps://a.example\nauthinfo: ", authinfo,
                                       "\nruntime_directory: ", place.path(), "\n"));
    system::write_new_file(place.file("password"), "hunter2\n");
  }
  std::string text() const { return system::read_whole_file(authinfo); }

  Ran run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"authinfo"});
    arguments.insert(arguments.end(), {"-c", config});
    Captured captured(place.path());
    const int exit = static_cast<int>(understand_command_line(std::move(arguments))());
    return {exit, captured.out(), captured.err()};
  }
  Ran add(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "add");
    arguments.insert(arguments.end(), {"--password-file", place.file("password")});
    return run(std::move(arguments));
  }
};

}  // namespace

TEST_CASE("hikyaku authinfo: add, list and remove") {
  AuthinfoRig rig;
  CHECK(rig.run({"list"}).out == cat(rig.authinfo, " has no entries\n"));
  const Ran added = rig.add({"a.example", "--port", "587", "--user", "me@example.com"});
  CHECK(added.err == "");
  CHECK(added.exit == 0);
  CHECK(added.out ==
        cat("added: a.example port 587, user me@example.com (", rig.authinfo, ":1, netrc's notation)\n"));
  CHECK(rig.text() == "machine a.example port 587 login me@example.com password hunter2\n");
  CHECK(rig.add({"a.example", "--port", "587", "--user", "me@example.com"}).out.starts_with("replaced: "));
  CHECK(rig.run({"list"}).out == "line 1: a.example port 587, user me@example.com (netrc's notation)\n");
  CHECK(rig.run({"list", "--json"}).out ==
        "{\"host\":\"a.example\",\"port\":587,\"user\":\"me@example.com\",\"notation\":\"netrc\",\"line\":1}"
        "\n");
  CHECK(rig.run({"remove", "a.example"}).out == "removed: a.example port 587, user me@example.com\n");
  CHECK(rig.text().empty());
}

TEST_CASE("hikyaku authinfo: a second user of a host is told how to be chosen") {
  AuthinfoRig rig;
  CHECK(rig.add({"a.example", "--user", "me"}).exit == 0);
  CHECK(rig.add({"a.example", "--user", "you"})
            .out.find("another user of this host stands above, in line 1: `user: "
                      "you` in the smarthost's entry") != std::string::npos);
}

TEST_CASE("hikyaku authinfo: what cannot be meant is refused, and nothing is written") {
  AuthinfoRig rig;
  CHECK(rig.add({"a.example:587", "--user", "me"}).exit == 64);
  CHECK(rig.add({"a.example", "--user", "me", "--port", "0"}).exit == 64);
  CHECK(rig.run({"remove", "a.example"}).exit == 66);
  system::write_new_file(rig.place.file("two"), "a\nb\n");
  const Ran two = rig.run({"add", "a.example", "--user", "me", "--password-file", rig.place.file("two")});
  CHECK(two.exit == 64);
  CHECK(two.err.find("a password is one line") != std::string::npos);
  CHECK(rig.text().empty());
  CHECK(rig.run({"add", "a.example", "--user", "me", "--password-file", rig.place.file("none")}).exit == 66);
}
