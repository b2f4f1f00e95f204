// SPDX-License-Identifier: MIT
// The command around the probe: what it refuses to begin, and how it ends.
#include <doctest/doctest.h>

#include <cstdio>
#include <fstream>
#include <iostream>

#include "daemon/base/text.h"
#include "daemon/commands/commands.h"
#include "daemon/io/listener.h"
#include "tests/unit/control/control_rig.h"

using namespace hikyaku;
using namespace hikyaku::test;
using namespace hikyaku::commands;

namespace {

Ran probe(const system::TemporaryDirectory& place, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "probe");
  std::cout.flush();
  std::fflush(stdout);
  Captured captured(place.path());
  const int exit = static_cast<int>(understand_command_line(std::move(arguments))());
  std::cout.flush();
  std::fflush(stdout);
  return {exit, captured.out(), captured.err()};
}

// A port of 127.0.0.1 where nobody listens.
std::string closed_place() {
  SystemClock clock;
  io::Loop loop(clock);
  auto listener = io::Listener::listen_tcp(loop, *Endpoint::parse("127.0.0.1:0"));
  REQUIRE(listener);
  return (*listener)->local()->to_text();
}

}  // namespace

TEST_CASE("hikyaku probe: nothing usable is exit code 1, with the reason for each port") {
  system::TemporaryDirectory place("hikyaku-test");
  Ran ran = probe(place, {closed_place()});
  CHECK(ran.exit == static_cast<int>(Exit::attention));
  CHECK(ran.out.starts_with("127.0.0.1\n  "));
  CHECK(ran.out.find("nobody listens, or a firewall rejects the connection") != std::string::npos);
  CHECK(ran.out.find("nothing usable was found\n") != std::string::npos);
  CHECK(ran.err == "");
}

TEST_CASE("hikyaku probe: --json is one object on one line") {
  system::TemporaryDirectory place("hikyaku-test");
  Ran ran = probe(place, {closed_place(), "--json"});
  CHECK(ran.exit == static_cast<int>(Exit::attention));
  CHECK(ran.out.starts_with(
      R"({"dns":null,"hosts":[{"host":"127.0.0.1","origin":"given","preset":null,"ports":[{)"));
  CHECK(ran.out.find(R"("opening":"none")") != std::string::npos);
  CHECK(ran.out.find(R"("trouble":{"kind":"refused","stage":"connect")") != std::string::npos);
  CHECK(ran.out.ends_with("\"recommended\":null,\"unconfirmed\":null,\"login\":null}\n"));
}

TEST_CASE("hikyaku probe: what is no host, domain or address is refused before anything is dialled") {
  system::TemporaryDirectory place("hikyaku-test");
  Ran ran = probe(place, {"a b"});
  CHECK(ran.exit == EX_USAGE);
  CHECK(ran.err.starts_with("hikyaku probe: 'a b' is none of a host (smtp.example.com)"));
  CHECK(ran.out == "");
}

TEST_CASE("hikyaku probe: a password needs a user, and a file that can be read") {
  system::TemporaryDirectory place("hikyaku-test");
  std::ofstream(place.file("password")) << "secret\n";
  Ran ran = probe(place, {"127.0.0.1:1", "--password-file", place.file("password")});
  CHECK(ran.exit == EX_USAGE);
  CHECK(ran.err == "hikyaku probe: --password-file needs --user\n");
  ran = probe(place, {"127.0.0.1:1", "--user", "me", "--password-file", place.file("nowhere")});
  CHECK(ran.exit == EX_NOINPUT);
  CHECK(ran.out == "");
}

TEST_CASE("hikyaku probe: where nothing can be used no log-in is tried") {
  system::TemporaryDirectory place("hikyaku-test");
  std::ofstream(place.file("password")) << "s3cret-word\n";
  Ran ran = probe(place, {closed_place(), "--user", "me", "--password-file", place.file("password")});
  CHECK(ran.exit == static_cast<int>(Exit::attention));
  CHECK(ran.out.find("log-in") == std::string::npos);
  CHECK((ran.out + ran.err).find("s3cret-word") == std::string::npos);
}
