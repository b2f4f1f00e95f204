// SPDX-License-Identifier: MIT
#include "daemon/system/terminal.h"

#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace hikyaku::system {
namespace {

constexpr std::array kEndingSignals{SIGINT, SIGTERM, SIGHUP, SIGQUIT};

volatile std::sig_atomic_t caught = 0;

void catch_signal(int signal) { caught = signal; }

// While it lives, the terminal does not echo. A signal that would end the program interrupts the wait for input
// instead, and is sent again when the terminal is as it was. Such signals are blocked outside that wait, so that none is
// lost just before it begins.
class EchoOff {
 public:
  explicit EchoOff(int fd) : fd_(fd), is_terminal_(::tcgetattr(fd, &before_) == 0) {
    if (!is_terminal_) return;
    sigset_t ending;
    ::sigemptyset(&ending);
    for (int signal : kEndingSignals) ::sigaddset(&ending, signal);
    ::sigprocmask(SIG_BLOCK, &ending, &mask_);
    struct sigaction interrupting{};  // without SA_RESTART
    interrupting.sa_handler = catch_signal;
    for (std::size_t i = 0; i < kEndingSignals.size(); ++i)
      ::sigaction(kEndingSignals[i], &interrupting, &actions_[i]);
    struct sigaction ignoring{};
    ignoring.sa_handler = SIG_IGN;
    ::sigaction(SIGTSTP, &ignoring, &stopping_);
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(fd, TCSAFLUSH, &silent);
  }
  EchoOff(const EchoOff&) = delete;
  ~EchoOff() {
    if (!is_terminal_) return;
    ::tcsetattr(fd_, TCSAFLUSH, &before_);
    for (std::size_t i = 0; i < kEndingSignals.size(); ++i)
      ::sigaction(kEndingSignals[i], &actions_[i], nullptr);
    ::sigaction(SIGTSTP, &stopping_, nullptr);
    ::sigprocmask(SIG_SETMASK, &mask_, nullptr);
    if (const int signal = std::exchange(caught, 0); signal != 0) ::raise(signal);
  }
  // What is blocked while waiting for input; nullptr: the same as now.
  const sigset_t* mask() const { return is_terminal_ ? &mask_ : nullptr; }

 private:
  int fd_;
  sigset_t mask_{};
  termios before_{};
  bool is_terminal_;
  std::array<struct sigaction, kEndingSignals.size()> actions_{};
  struct sigaction stopping_{};
};

void wipe(std::string& text) {
  ::explicit_bzero(text.data(), text.size());
  text.clear();
}

}  // namespace

Terminal::~Terminal() { wipe(ahead_); }

bool Terminal::is_interactive() const { return ::isatty(in_) == 1; }

void Terminal::say(std::string_view text) const {
  while (!text.empty()) {
    const ssize_t written = ::write(out_, text.data(), text.size());
    if (written < 0 && errno != EINTR) return;  // nobody is there to be told
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void Terminal::fill(const sigset_t* mask) {
  pollfd ready{.fd = in_, .events = POLLIN, .revents = 0};
  if (::ppoll(&ready, 1, nullptr, mask) < 0) {
    has_ended_ = errno != EINTR || caught != 0;
    return;
  }
  std::array<char, 4096> piece{};
  const ssize_t got = ::read(in_, piece.data(), piece.size());
  if (got > 0) {
    std::string longer = ahead_ + std::string(piece.data(), static_cast<std::size_t>(got));
    wipe(ahead_);
    ahead_ = std::move(longer);
  }
  ::explicit_bzero(piece.data(), piece.size());
  if (got == 0 || (got < 0 && (errno != EINTR || caught != 0))) has_ended_ = true;
}

std::optional<std::string> Terminal::read_line(const sigset_t* mask) {
  while (ahead_.find('\n') == ahead_.npos && !has_ended_) fill(mask);
  if (ahead_.empty() || caught != 0) return std::nullopt;
  const std::size_t end = std::min(ahead_.find('\n'), ahead_.size());
  std::string line = ahead_.substr(0, end);
  std::string rest = ahead_.substr(std::min(end + 1, ahead_.size()));
  wipe(ahead_);
  ahead_ = std::move(rest);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

std::optional<std::string> Terminal::ask(std::string_view question) {
  say(question);
  auto line = read_line();
  if (!is_interactive() && !question.empty()) say("\n");  // nobody's return key has ended the line
  return line;
}

std::optional<Secret> Terminal::ask_secret(std::string_view question) {
  EchoOff off(in_);  // before the question: what is typed at once is not shown either
  say(question);
  auto line = read_line(off.mask());
  if (!question.empty()) say("\n");
  if (!line) return std::nullopt;
  return Secret(std::move(*line));
}

}  // namespace hikyaku::system
