// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "daemon/app/hikyakud.h"

using namespace hikyaku;
using namespace hikyaku::app;
using Action = StartOptions::Action;

TEST_CASE("hikyakud: its options, in every order, the last value of -c counts") {
  struct Case {
    std::vector<std::string> arguments;
    Action action;
    std::string config_file = "/etc/hikyaku/hikyaku.yaml";
    std::vector<std::string> ports = {};
  };
  for (const Case& one : {Case{{}, Action::serve}, Case{{"-c", "a.yaml"}, Action::serve, "a.yaml"},
                          Case{{"-ca.yaml", "-c", "b.yaml"}, Action::serve, "b.yaml"},
                          Case{{"--check", "-c", "a.yaml"}, Action::check, "a.yaml"},
                          Case{{"-c", "a.yaml", "--check"}, Action::check, "a.yaml"},
                          Case{{"--check-ports"}, Action::check_ports},
                          Case{{"--check-ports", "127.0.0.1:25", "(Stream)", "[::1]:25"},
                               Action::check_ports,
                               "/etc/hikyaku/hikyaku.yaml",
                               {"127.0.0.1:25", "(Stream)", "[::1]:25"}},
                          Case{{"--help"}, Action::print_help}, Case{{"-h", "--bogus"}, Action::print_help},
                          Case{{"--version"}, Action::print_version}}) {
    auto options = parse_start_options(one.arguments);
    REQUIRE(options);
    CHECK(options->action == one.action);
    CHECK(options->config_file == one.config_file);
    CHECK(options->ports == one.ports);
  }
}

TEST_CASE("hikyakud: a command line that cannot be understood is a usage error in one line") {
  struct Case {
    std::vector<std::string> arguments;
    std::string error;
  };
  for (const Case& one : {Case{{"--bogus"}, "there is no option '--bogus'; see 'hikyakud --help'"},
                          Case{{"-xc"}, "there is no option '-x'; see 'hikyakud --help'"},
                          Case{{"-x"}, "there is no option '-x'; see 'hikyakud --help'"},
                          Case{{"--check=yes"}, "there is no option '--check=yes'; see 'hikyakud --help'"},
                          Case{{"-c"}, "-c needs a file; see 'hikyakud --help'"},
                          Case{{"run"}, "'run' was not expected; see 'hikyakud --help'"},
                          Case{{"--check", "a\nb"}, "'a\\x0ab' was not expected; see 'hikyakud --help'"}}) {
    auto options = parse_start_options(one.arguments);
    REQUIRE(!options);
    CHECK(options.error().kind == Exit::usage);
    CHECK(options.error().text == one.error);
  }
}

TEST_CASE("hikyakud: its help names every option that people use") {
  for (const char* name : {"-c FILE", "--check", "--help", "--version"})
    CHECK(start_help().find(name) != std::string_view::npos);
}
