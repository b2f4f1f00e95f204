// SPDX-License-Identifier: MIT
#include "daemon/io/process.h"

#include <doctest/doctest.h>

#include <csignal>

using namespace hikyaku;
using namespace hikyaku::io;

namespace {

std::unique_ptr<Process> shell(Loop& loop, std::string script, std::vector<std::string> environment = {}) {
  auto started = Process::start(loop, {{"/bin/sh", "-c", std::move(script)}, std::move(environment), {}});
  REQUIRE(started);
  return std::move(*started);
}

}  // namespace

TEST_CASE("io: a child's output and errors come as lines, then its exit code") {
  SystemClock clock;
  Loop loop(clock);
  auto child = shell(loop, "echo one; echo two >&2; exit 7");
  CHECK(loop.run(child->line(loop.within(10s))).value_or("") == "one");
  CHECK(loop.run(child->line(loop.within(10s))).value_or("") == "two");
  auto end = loop.run(child->line(loop.within(10s)));
  REQUIRE_FALSE(end);
  CHECK(end.error().kind == IoErrorKind::eof);
  CHECK(loop.run(child->exit_code(loop.within(10s))).value_or(-1) == 7);
}

TEST_CASE("io: a child reads the file that is its standard input, or nothing") {
  SystemClock clock;
  Loop loop(clock);
  auto lines = [&](const std::string& input) {
    auto child = Process::start(loop, {{"/bin/sh", "-c", "wc -l"}, {}, input});
    REQUIRE(child);
    return loop.run((*child)->line(loop.within(10s))).value_or("");
  };
  CHECK(lines("") == "0");
  CHECK(lines("/proc/self/status") != "0");
  auto missing = Process::start(loop, {{"/bin/true"}, {}, "/nowhere/at all"});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().text.starts_with("/nowhere/at all: "));
}

TEST_CASE("io: a child has our environment and what it is given beside it") {
  SystemClock clock;
  Loop loop(clock);
  auto child = shell(loop, "echo $HIKYAKU_TEST_WORD; test -n \"$PATH\"", {"HIKYAKU_TEST_WORD=courier"});
  CHECK(loop.run(child->line(loop.within(10s))).value_or("") == "courier");
  CHECK(loop.run(child->exit_code(loop.within(10s))).value_or(-1) == 0);
}

TEST_CASE("io: a child that a signal ends has 128 and its number as exit code") {
  SystemClock clock;
  Loop loop(clock);
  auto child = shell(loop, "exec sleep 60");
  child->signal(SIGTERM);
  CHECK(loop.run(child->exit_code(loop.within(10s))).value_or(-1) == 128 + SIGTERM);
  child->signal(SIGTERM);  // nobody is hit
}

TEST_CASE("io: a child that still runs goes with its object") {
  SystemClock clock;
  Loop loop(clock);
  auto child = shell(loop, "echo $$; exec sleep 60");
  std::string pid = loop.run(child->line(loop.within(10s))).value_or("0");
  child.reset();
  auto watcher = shell(loop, "while kill -0 " + pid +
                                 " 2>/dev/null && "
                                 "! grep -q '^State:.Z' /proc/" +
                                 pid + "/status; do :; done; echo gone");
  CHECK(loop.run(watcher->line(loop.within(20s))).value_or("") == "gone");
}

TEST_CASE("io: a program that is not there is an error with its name") {
  SystemClock clock;
  Loop loop(clock);
  auto started = Process::start(loop, {{"/nonexistent/program"}, {}, {}});
  REQUIRE_FALSE(started);
  CHECK(started.error().text.find("/nonexistent/program") != std::string::npos);
}
