// SPDX-License-Identifier: MIT
// The completion scripts: bash's is sourced by a bash, with a `hikyaku` that knows a mail and a smarthost.
#include "daemon/commands/completion.h"

#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "daemon/base/text.h"
#include "tests/support/spool_rig.h"

using namespace hikyaku;
using namespace hikyaku::test;
using namespace hikyaku::commands;

namespace {

std::string script_for(const std::string& shell) {
  system::TemporaryDirectory place("hikyaku-test");
  Captured captured(place.path());
  CHECK(understand_command_line({"completion", shell})() == Exit::ok);
  return captured.out();
}

std::string output_of(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  char piece[4096];
  while (std::size_t count = std::fread(piece, 1, sizeof piece, pipe)) text.append(piece, count);
  CHECK(::pclose(pipe) == 0);
  return text;
}

// A bash that has sourced the script; the `hikyaku` it asks answers from two files.
class Bash {
 public:
  Bash() {
    write("script", script_for("bash"));
    write("hikyaku", cat("#!/bin/sh\necho \"$@\" >> '", place_.path(), "/asked'\nexec cat '", place_.path(),
                         "/'\"$1\"\n"));
    ::chmod(place_.file("hikyaku").c_str(), 0755);
    write(
        "queue",
        "{\"id\":\"001k0ts4wbcfh\",\"state\":\"active\"}\n{\"id\":\"001k0ts4wbcfj\",\"state\":\"active\"}\n");
    write("config",
          "hostname: relay1   # default\nsmarthosts:\n  - name: main   # h.yaml:1\n    host: a\n  - name: "
          "second  # x\n");
  }
  // What Tab offers behind these words, the last of which is being written.
  std::vector<std::string> offers(const std::vector<std::string>& words) {
    std::string array;
    for (const std::string& word : words) array += cat(" '", word, "'");
    const std::string said =
        output_of(cat("PATH='", place_.path(),
                      ":'\"$PATH\" bash -euc 'source \"$0/script\"; COMP_WORDS=(\"${@}\"); "
                      "COMP_CWORD=$(($# - 1)); _hikyaku; printf \"%s\\n\" \"${COMPREPLY[@]}\"' '",
                      place_.path(), "'", array));
    std::vector<std::string> offered;
    for (std::string_view line : split(said, '\n'))
      if (!line.empty()) offered.emplace_back(line);
    return offered;
  }
  std::string asked() { return system::read_whole_file(place_.file("asked")); }

 private:
  void write(const char* name, const std::string& text) { std::ofstream(place_.file(name)) << text; }
  system::TemporaryDirectory place_{"hikyaku-test"};
};

using Offers = std::vector<std::string>;

}  // namespace

TEST_CASE("completion: bash completes sub-commands and options, also of the command around them") {
  Bash bash;
  CHECK(bash.offers({"hikyaku", "qu"}) == Offers{"queue"});
  CHECK(bash.offers({"hikyaku", "queue", "re"}) == Offers{"retry", "release", "remove"});
  CHECK(bash.offers({"hikyaku", "-c", "my.yaml", "config", ""}) == Offers{"show"});
  CHECK(bash.offers({"hikyaku", "spool", "export", "--dir"}) == Offers{"--directory"});
  CHECK(bash.offers({"hikyaku", "queue", "retry", "--no"}) == Offers{"--no-wait"});
  CHECK(bash.offers({"hikyaku", "queue", "retry", "--old"}) == Offers{"--older-than"});
  CHECK(bash.offers({"hikyaku", "queue", "--by", "s"}) == Offers{"sender", "smarthost"});
  CHECK(bash.offers({"hikyaku", "presets", "gma"}) == Offers{"gmail"});
  CHECK(bash.offers({"hikyaku", "help", "stat"}) == Offers{"status"});
  CHECK(bash.offers({"hikyaku", "completion", "f"}) == Offers{"fish"});
}

TEST_CASE(
    "completion: bash asks hikyaku for queued mails and smarthosts, with the configuration that is meant") {
  Bash bash;
  for (const char* command : {"show", "cat", "retry", "hold", "release", "remove", "bounce"})
    CHECK(bash.offers({"hikyaku", "queue", command, "001"}) == Offers{"001k0ts4wbcfh", "001k0ts4wbcfj"});
  CHECK(bash.asked().starts_with("queue --json --limit 200\n"));
  CHECK(bash.offers({"hikyaku", "-c", "my.yaml", "check", ""}) == Offers{"main", "second"});
  CHECK(bash.asked().ends_with("\nconfig show -c my.yaml\n"));
  CHECK(bash.offers({"hikyaku", "queue", "--smarthost", "m"}) == Offers{"main"});
}

TEST_CASE("completion: where a file is meant, or nothing is known, bash is left to itself") {
  Bash bash;
  CHECK(bash.offers({"hikyaku", "-c", ""}).empty());
  CHECK(bash.offers({"hikyaku", "queue", "--from", "x"}).empty());
  CHECK(bash.offers({"hikyaku", "spool", "export", "x"}).empty());
  CHECK(script_for("bash").find("complete -o default -F _hikyaku hikyaku") != std::string::npos);
}

TEST_CASE("completion: each command and option of the tree is in each script") {
  CLI::App app("x", "hikyaku");
  Action chosen;
  add_queue_command(app, chosen);
  const auto commands = completed_commands(app);
  REQUIRE(commands.size() == 9);  // hikyaku, queue, and seven in it
  CHECK(commands[2].path == "queue show");
  CHECK(commands[2].argument.kind == Candidates::Kind::mails);
  for (const char* shell : {"bash", "zsh", "fish"}) {
    CAPTURE(shell);
    const std::string script = script_for(shell);
    const std::string dashes = shell == std::string("fish") ? "-l " : "--";
    for (const CompletedCommand& command : commands) {
      CHECK(script.find(cat("'", command.path, "'")) != std::string::npos);
      for (const CompletedOption& option : command.options)
        for (const std::string& name : option.long_names)
          CHECK(script.find(dashes + name) != std::string::npos);
    }
  }
}

TEST_CASE("completion: another shell is a mistake that names those there are") {
  SpoolRig rig;
  Ran ran = rig.run_as_it_is({"completion", "tcsh"});
  CHECK(ran.exit == static_cast<int>(Exit::usage));
  CHECK(ran.err ==
        "hikyaku completion: SHELL: tcsh not in {bash,zsh,fish}; see 'hikyaku completion --help'\n");
}
