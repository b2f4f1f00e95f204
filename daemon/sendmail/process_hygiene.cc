// SPDX-License-Identifier: MIT
#include "daemon/sendmail/process_hygiene.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iterator>

#include "daemon/base/error.h"
#include "daemon/sendmail/exit.h"

namespace hikyaku::sendmail {
namespace {

constexpr int kFatal[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT, SIGALRM, SIGVTALRM,
                          SIGPROF, SIGXCPU, SIGUSR1, SIGUSR2, SIGIO,   SIGPWR};
constexpr int kErrors[] = {SIGPIPE, SIGXFSZ};
constexpr int kMayBeIgnored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};  // nohup, a background job

// Written with signals blocked, read by the handler.
struct UnfinishedFile {
  int directory = -1;
  char name[64] = {};
};
UnfinishedFile unfinished[3];
unsigned nested = 0;
volatile sig_atomic_t exit_code = static_cast<int>(Exit::try_again);

// System calls only, because this runs in a signal handler.
[[noreturn]] void end_after_signal(int) {
  regain_privilege_in_handler();
  for (const UnfinishedFile& one : unfinished)
    if (one.directory >= 0) ::unlinkat(one.directory, one.name, 0);
  ::_exit(exit_code);
}

[[noreturn]] void end_for_terminate() { end_after_signal(0); }

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

bool input_is_open = false;

// A file opened later must never become descriptor 1 or 2, because output would be written into it.
void open_standard_descriptors() {
  // If it was closed, the C library of a set-gid program has opened something unreadable in its place.
  int flags = ::fcntl(STDIN_FILENO, F_GETFL);
  input_is_open = flags >= 0 && (flags & O_ACCMODE) != O_WRONLY;
  int fd = 0;
  do {
    fd = ::open("/dev/null", O_RDWR | O_NOCTTY);
    if (fd < 0) ::_exit(static_cast<int>(Exit::os));
  } while (fd <= STDERR_FILENO);
  ::close(fd);
}

void set_limits() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  limit = {0, 0};
  ::setrlimit(RLIMIT_CORE, &limit);
}

gid_t own_group = 0;    // the caller's
gid_t drop_group = 0;   // the file's; the caller's without the set-gid bit
bool elevated = false;  // according to the kernel

void become(gid_t group) { check(::setegid(group) == 0, "setegid"); }

}  // namespace

void watch_signals() {
  for (int number : kFatal)
    if (!stays_ignored(number)) handle(number, end_after_signal);
  for (int number : kErrors) handle(number, SIG_IGN);
  handle(SIGCHLD, SIG_DFL);
  std::set_terminate(end_for_terminate);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void set_exit_code_of_signals(Exit code) { exit_code = static_cast<int>(code); }

void will_remove(int directory, const std::string& name) {
  SignalBlock signal_block;
  auto* free = std::ranges::find(unfinished, -1, &UnfinishedFile::directory);
  check(free != std::end(unfinished) && name.size() < sizeof free->name, "there is a place for the name");
  std::memcpy(free->name, name.c_str(), name.size() + 1);
  free->directory = directory;
}

void need_not_remove(const std::string& name) {
  SignalBlock signal_block;
  for (UnfinishedFile& one : unfinished)
    if (one.directory >= 0 && name == one.name) one.directory = -1;
}

SignalBlock::SignalBlock() {
  sigset_t set = fatal_signals();
  if (nested++ == 0) ::sigprocmask(SIG_BLOCK, &set, nullptr);
}

SignalBlock::~SignalBlock() {
  sigset_t set = fatal_signals();
  if (--nested == 0) ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

void sanitize_process() {
  ::clearenv();
  open_standard_descriptors();
  ::syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, 0u);
  set_limits();
  ::umask(S_IRWXG | S_IRWXO);
}

bool has_input() { return input_is_open; }

bool drop_privilege() {
  own_group = ::getgid();
  drop_group = ::getegid();
  elevated = ::getauxval(AT_SECURE) != 0 || own_group != drop_group || ::getuid() != ::geteuid();
  // The uid is always the caller's: a set-uid bit set by mistake has no effect.
  check(::setresuid(::getuid(), ::getuid(), ::getuid()) == 0, "setresuid");
  become(own_group);
  return elevated;
}

bool has_privilege() { return own_group != drop_group; }

WithPrivilege::WithPrivilege() {
  if (has_privilege()) become(drop_group);
}

WithPrivilege::~WithPrivilege() {
  if (has_privilege()) become(own_group);
}

void regain_privilege_in_handler() { ::syscall(SYS_setresgid, -1, drop_group, -1); }

}  // namespace hikyaku::sendmail
