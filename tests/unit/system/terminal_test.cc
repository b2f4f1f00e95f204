// SPDX-License-Identifier: MIT
#include "daemon/system/terminal.h"

#include <fcntl.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "daemon/base/error.h"
#include "daemon/base/fd.h"
#include "doctest/doctest.h"

namespace hikyaku::system {
namespace {

struct Pty {
  Fd master;
  Fd slave;
  Pty() {
    int ends[2];
    check(::openpty(&ends[0], &ends[1], nullptr, nullptr, nullptr) == 0, "a test can have a terminal");
    master = Fd(ends[0]), slave = Fd(ends[1]);
  }
  bool is_echoing() const {
    termios state{};
    REQUIRE(::tcgetattr(slave.get(), &state) == 0);
    return (state.c_lflag & ECHO) != 0;
  }
  void type(std::string_view text) const {
    REQUIRE(::write(master.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  // What the screen shows, up to and with `end`.
  std::string screen_until(std::string_view end) const {
    std::string shown;
    char c = 0;
    while (!shown.ends_with(end) && ::read(master.get(), &c, 1) == 1) shown += c;
    return shown;
  }
};

struct Pipe {
  Fd in;
  Fd out;
  Pipe() {
    int ends[2];
    check(::pipe2(ends, O_CLOEXEC) == 0, "a test can have a pipe");
    in = Fd(ends[0]), out = Fd(ends[1]);
  }
};

TEST_CASE("terminal: answers over a pipe are lines, the last one with or without its end") {
  Pipe answers;
  Pipe shown;
  REQUIRE(::write(answers.out.get(), "one\r\n\nthree", 11) == 11);
  answers.out.reset();
  Terminal terminal(answers.in.get(), shown.out.get());
  CHECK_FALSE(terminal.is_interactive());
  CHECK(terminal.ask("1? ") == "one");
  CHECK(terminal.ask_secret("2? ")->reveal().empty());
  CHECK(terminal.ask_secret("")->reveal() == "three");
  CHECK_FALSE(terminal.ask("4? "));
  char text[64];
  CHECK(std::string(text, static_cast<std::size_t>(::read(shown.in.get(), text, sizeof text))) ==
        "1? \n2? \n4? \n");
}

TEST_CASE("terminal: a secret is not shown, and the terminal echoes again afterwards") {
  Pty pty;
  Terminal terminal(pty.slave.get(), pty.slave.get());
  CHECK(terminal.is_interactive());
  std::optional<Secret> secret;
  std::thread user([&] {
    pty.screen_until("Password: ");
    pty.type("hunter2\n");
  });
  secret = terminal.ask_secret("Password: ");
  user.join();
  REQUIRE(secret);
  CHECK(secret->reveal() == "hunter2");
  CHECK(pty.is_echoing());
  terminal.say("end");
  CHECK(pty.screen_until("end") == "\r\nend");
}

TEST_CASE("terminal: a signal during a secret question ends the program after the terminal is as it was") {
  Pty pty;
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGINT, SIG_DFL);
    Terminal terminal(pty.slave.get(), pty.slave.get());
    (void)terminal.ask_secret("Password: ");
    ::_exit(0);
  }
  pty.screen_until("Password: ");
  CHECK_FALSE(pty.is_echoing());
  ::kill(child, SIGINT);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGINT);
  CHECK(pty.is_echoing());
}

}  // namespace
}  // namespace hikyaku::system
