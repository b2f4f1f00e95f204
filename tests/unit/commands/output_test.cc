// SPDX-License-Identifier: MIT
#include "daemon/commands/output.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "daemon/base/fd.h"

using namespace hikyaku;
using namespace hikyaku::commands;

namespace {

struct Pipe {
  Pipe() {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    reader = Fd(ends[0]);
    writer = Fd(ends[1]);
  }
  Fd reader;
  Fd writer;
};

}  // namespace

TEST_CASE("output: all that is printed has arrived when it is finished") {
  Pipe pipe;
  Output output(pipe.writer.get());
  CHECK(output.print("one "));
  CHECK(output.print("two"));
  CHECK(output.finish(Exit::damaged, "test") == Exit::damaged);
  char buffer[16];
  REQUIRE(::read(pipe.reader.get(), buffer, sizeof buffer) == 7);
  CHECK(std::string_view(buffer, 7) == "one two");
}

TEST_CASE("output: a reader who leaves ends it, without a signal") {
  Pipe pipe;
  pipe.reader.reset();
  Output output(pipe.writer.get());
  bool goes_on = true;
  for (int i = 0; i < 100 && goes_on; ++i) goes_on = output.print(std::string(10'000, 'x'));
  CHECK(!goes_on);
  CHECK(output.finish(Exit::ok, "test") == Exit::io);
}

TEST_CASE("output: a full device is an error at the latest at the end") {
  Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  if (!full) return;
  Output output(full.get());
  CHECK(output.print("little"));
  CHECK(output.finish(Exit::ok, "test") == Exit::io);
}

TEST_CASE("output: bold is for a terminal that is not dumb, unless $NO_COLOR says no") {
  int ours = -1;
  int terminal = -1;
  REQUIRE(::openpty(&ours, &terminal, nullptr, nullptr, nullptr) == 0);
  Fd owned_ours(ours);
  Fd owned_terminal(terminal);
  Fd saved(::dup(STDOUT_FILENO));
  const auto bold_on = [&](int output, const char* no_color, const char* term = "xterm") {
    ::setenv("TERM", term, 1);
    no_color != nullptr ? ::setenv("NO_COLOR", no_color, 1) : ::unsetenv("NO_COLOR");
    ::dup2(output, STDOUT_FILENO);
    const bool may = may_use_bold();
    ::dup2(saved.get(), STDOUT_FILENO);
    ::unsetenv("NO_COLOR");
    return may;
  };
  Pipe pipe;
  CHECK(bold_on(terminal, nullptr));
  CHECK(bold_on(terminal, ""));
  CHECK(!bold_on(terminal, "1"));
  CHECK(!bold_on(terminal, nullptr, "dumb"));
  CHECK(!bold_on(pipe.writer.get(), nullptr));
}

TEST_CASE(
    "output: lines for people are folded on a terminal, to its width or $COLUMNS, and never in a pipe") {
  int ours = -1, terminal = -1;
  const winsize size{.ws_row = 50, .ws_col = 40, .ws_xpixel = 0, .ws_ypixel = 0};
  REQUIRE(::openpty(&ours, &terminal, nullptr, nullptr, &size) == 0);
  Fd owned_ours(ours);
  Fd owned_terminal(terminal);
  const std::string line = "label  this goes on for more than forty columns\n";
  const auto on = [&](int fd, int reader, const char* columns) {
    columns != nullptr ? ::setenv("COLUMNS", columns, 1) : ::unsetenv("COLUMNS");
    Output output(fd);
    output.print_lines(line);
    CHECK(output.finish(Exit::ok, "test") == Exit::ok);
    ::unsetenv("COLUMNS");
    char buffer[256];
    const ssize_t got = ::read(reader, buffer, sizeof buffer);
    return std::string(buffer, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  };
  Pipe pipe;
  CHECK(on(terminal, ours, nullptr) == "label  this goes on for more than forty\r\n       columns\r\n");
  CHECK(on(terminal, ours, "25") ==
        "label  this goes on for\r\n       more than forty\r\n       columns\r\n");
  CHECK(on(terminal, ours, "0") == on(terminal, ours, nullptr));
  CHECK(on(pipe.writer.get(), pipe.reader.get(), "25") == line);
}
