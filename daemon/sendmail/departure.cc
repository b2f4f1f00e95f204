// SPDX-License-Identifier: MIT
#include "daemon/sendmail/departure.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <iterator>

#include "daemon/base/error.h"
#include "daemon/sendmail/privilege.h"

namespace hikyaku::sendmail {
namespace {

constexpr int kFatal[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT, SIGALRM, SIGVTALRM,
                          SIGPROF, SIGXCPU, SIGUSR1, SIGUSR2, SIGIO,   SIGPWR};
constexpr int kErrors[] = {SIGPIPE, SIGXFSZ};
constexpr int kMayBeIgnored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};  // nohup, a background job

// Written with signals blocked, read by the handler.
struct Doomed {
  int directory = -1;
  char name[64] = {};
};
Doomed doomed[3];
unsigned nested = 0;
volatile sig_atomic_t exit_code = static_cast<int>(Exit::temporary);

// Nothing here but system calls.
[[noreturn]] void depart(int) {
  take_up_privilege_in_handler();
  for (const Doomed& one : doomed)
    if (one.directory >= 0) ::unlinkat(one.directory, one.name, 0);
  ::_exit(exit_code);
}

[[noreturn]] void give_up() { depart(0); }

sigset_t fatal_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (int number : kFatal) ::sigaddset(&set, number);
  return set;
}

bool stays_ignored(int number) {
  struct sigaction before{};
  ::sigaction(number, nullptr, &before);
  for (int one : kMayBeIgnored)
    if (one == number) return before.sa_handler == SIG_IGN;
  return false;
}

void handle(int number, void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_mask = fatal_signals();
  ::sigaction(number, &action, nullptr);
}

}  // namespace

void watch_signals() {
  for (int number : kFatal)
    if (!stays_ignored(number)) handle(number, depart);
  for (int number : kErrors) handle(number, SIG_IGN);
  handle(SIGCHLD, SIG_DFL);
  std::set_terminate(give_up);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void will_leave_with(Exit code) { exit_code = static_cast<int>(code); }

void will_remove(int directory, const std::string& name) {
  Undisturbed undisturbed;
  auto* free = std::ranges::find(doomed, -1, &Doomed::directory);
  check(free != std::end(doomed) && name.size() < sizeof free->name, "there is a place for the name");
  std::memcpy(free->name, name.c_str(), name.size() + 1);
  free->directory = directory;
}

void need_not_remove(const std::string& name) {
  Undisturbed undisturbed;
  for (Doomed& one : doomed)
    if (one.directory >= 0 && name == one.name) one.directory = -1;
}

Undisturbed::Undisturbed() {
  sigset_t set = fatal_signals();
  if (nested++ == 0) ::sigprocmask(SIG_BLOCK, &set, nullptr);
}

Undisturbed::~Undisturbed() {
  sigset_t set = fatal_signals();
  if (--nested == 0) ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace hikyaku::sendmail
