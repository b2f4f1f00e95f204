// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>

#include "daemon/commands/commands.h"
#include "tests/unit/control/control_rig.h"

using namespace hikyaku;
using namespace hikyaku::test;
using namespace hikyaku::commands;
using namespace hikyaku::control;

namespace {

void flush() {
  std::cout.flush();
  std::fflush(stdout);
}

// What the test program itself has not written yet must not get into the captured output.
Ran run(const system::TemporaryDirectory& place, std::vector<std::string> arguments) {
  flush();
  Captured captured(place.path());
  int exit = static_cast<int>(understand_command_line(std::move(arguments))());
  flush();
  return {exit, captured.out(), captured.err()};
}

}  // namespace

TEST_CASE("hikyaku: a mistake is one line that says what was probably meant and where help is") {
  struct Case {
    std::vector<std::string> arguments;
    std::string error;
  };
  system::TemporaryDirectory place("hikyaku-test");
  for (const Case& one :
       {Case{{"qeueu"},
             "hikyaku: there is no sub-command 'qeueu'; did you mean 'queue'? See 'hikyaku --help'"},
        Case{{"frobnicate"}, "hikyaku: there is no sub-command 'frobnicate'; see 'hikyaku --help'"},
        Case{{"\x1b[2J"}, "hikyaku: there is no sub-command '\\x1b[2J'; see 'hikyaku --help'"},
        Case{{},
             "hikyaku: a sub-command is missing: status, health, reload, drain, setup, check, queue, spool, "
             "explain, "
             "authinfo, dkim, oauth, config, presets, probe, import, demo, sink, completion, help, version; "
             "see "
             "'hikyaku "
             "--help'"},
        Case{
            {"queue", "shwo"},
            "hikyaku queue: there is no sub-command 'shwo'; did you mean 'show'? See 'hikyaku queue --help'"},
        Case{
            {"spool"},
            "hikyaku spool: a sub-command is missing: check, export, init, move; see 'hikyaku spool --help'"},
        Case{
            {"status", "--jsn"},
            "hikyaku status: there is no option '--jsn'; did you mean '--json'? See 'hikyaku status --help'"},
        Case{{"reload", "now"}, "hikyaku reload: 'now' was not expected; see 'hikyaku reload --help'"},
        Case{{"queue", "show"}, "hikyaku queue show: ID is required; see 'hikyaku queue show --help'"}}) {
    CAPTURE(one.error);
    Ran ran = run(place, one.arguments);
    CHECK(ran.exit == EX_USAGE);
    CHECK(ran.err == one.error + "\n");
    CHECK(ran.out.empty());
  }
}

TEST_CASE("hikyaku: help and the version are found by every name that people try") {
  system::TemporaryDirectory place("hikyaku-test");
  for (const char* name : {"version", "-v", "--version"}) {
    CAPTURE(name);
    Ran ran = run(place, {name});
    CHECK(ran.exit == 0);
    CHECK(ran.out == "hikyaku " HIKYAKU_VERSION "\n");
  }
  std::string whole = run(place, {"--help"}).out;
  CHECK(whole.find("queue") != std::string::npos);
  for (const char* name : {"help", "-h"}) CHECK(run(place, {name}).out == whole);
  Ran about = run(place, {"help", "queue", "retry"});
  CHECK(about.exit == 0);
  CHECK(about.out == run(place, {"queue", "retry", "--help"}).out);
  CHECK(about.out.find("--all") != std::string::npos);
  CHECK(run(place, {"status", "--help"}).out.find("Exit code: 0 all is well, 1 something needs") !=
        std::string::npos);
}

TEST_CASE("hikyaku: -c stands before the sub-command or behind it, and what is behind counts") {
  ControlRig rig;
  std::string good = rig.place.file("good.yaml");
  std::ofstream(good) << "smarthost: smtps://smtp.example.com\nruntime_directory: " << rig.place.path()
                      << "\nspool: {directory: " << rig.directory() << "}\n";
  std::string missing = rig.place.file("missing.yaml");
  CHECK(run(rig.place, {"-c", good, "status"}).exit == 0);
  CHECK(run(rig.place, {"status", "-c", good}).exit == 0);
  CHECK(run(rig.place, {"-c", missing, "status", "-c", good}).exit == 0);
  CHECK(run(rig.place, {"-c", good, "status", "-c", missing}).exit == EX_CONFIG);
  CHECK(run(rig.place, {"-c", good, "queue"}).exit == 0);
  CHECK(run(rig.place, {"-c", good, "queue", "show", "001k0ts4wbcfh"}).exit == EX_NOINPUT);
  CHECK(run(rig.place, {"-c", good, "spool", "check"}).exit == 0);
}
