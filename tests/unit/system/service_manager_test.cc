// SPDX-License-Identifier: MIT
#include "daemon/system/service_manager.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "daemon/base/fd.h"
#include "daemon/system/files.h"

using namespace hikyaku;
using namespace hikyaku::system;

namespace {

// A service manager that listens, and that this process believes to be its own.
class Manager {
 public:
  Manager() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::string path = place_.file("notify");
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  ~Manager() {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
  }

  // The next message; nothing has come: "".
  std::string heard() {
    std::array<char, 4096> bytes{};
    ssize_t length = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    return length < 0 ? "" : std::string(bytes.data(), static_cast<std::size_t>(length));
  }

 private:
  TemporaryDirectory place_{"hikyaku-test"};
  Fd socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
};

// Runs in a child process, since the sockets that are handed over begin with descriptor 3.
bool finds_two_sockets_once() {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) return false;
  const int high[2] = {::fcntl(pair[0], F_DUPFD, 10), ::fcntl(pair[1], F_DUPFD, 10)};
  for (int i : {0, 1}) ::dup2(high[i], 3 + i);
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  ::setenv("LISTEN_FDS", "2", 1);
  const std::vector<Fd> sockets = inherited_sockets();
  const bool are_right = sockets.size() == 2 && sockets[0].get() == 3 && sockets[1].get() == 4;
  const bool are_closed_on_exec =
      (::fcntl(3, F_GETFD) & FD_CLOEXEC) != 0 && (::fcntl(4, F_GETFD) & FD_CLOEXEC) != 0;
  return are_right && are_closed_on_exec && inherited_sockets().empty();
}

}  // namespace

TEST_CASE("system: sockets that are handed over are found once, and no child of ours gets them") {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(finds_two_sockets_once() ? 0 : 1);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("system: sockets that were handed over to another process are not ours") {
  ::setenv("LISTEN_PID", "1", 1);
  ::setenv("LISTEN_FDS", "2", 1);
  CHECK(inherited_sockets().empty());
  CHECK(std::getenv("LISTEN_FDS") == nullptr);
}

TEST_CASE("system: the service manager is told of readiness, reload, stop and life") {
  Manager manager;
  ServiceManager ours;
  CHECK(ServiceManager::is_there());
  ours.ready("0 queued");
  CHECK(manager.heard() == "READY=1\nSTATUS=0 queued");
  ours.reloading();
  std::string reloading = manager.heard();
  CHECK(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="));
  CHECK(std::stoll(reloading.substr(reloading.rfind('=') + 1)) > 0);
  ours.alive();
  CHECK(manager.heard() == "WATCHDOG=1");
  ours.stopping();
  CHECK(manager.heard() == "STOPPING=1\nSTATUS=stopping");
}

TEST_CASE("system: the status is told when it changes, as one printable line") {
  Manager manager;
  ServiceManager ours;
  ours.ready("0 queued");
  manager.heard();
  ours.status("0 queued");
  CHECK(manager.heard().empty());
  ours.status("1 queued; \"550 no\nREADY=1\"");
  CHECK(manager.heard() == "STATUS=1 queued; \"550 no\\x0aREADY=1\"");
}

TEST_CASE("system: the watchdog is fed at half its interval, and only if it is for this process") {
  Manager manager;
  CHECK_FALSE(ServiceManager::alive_interval());
  ::setenv("WATCHDOG_USEC", "3000000", 1);
  CHECK(ServiceManager::alive_interval() == Duration(1'500'000));
  ::setenv("WATCHDOG_PID", "1", 1);
  CHECK_FALSE(ServiceManager::alive_interval());
}

TEST_CASE("system: a manager that does not read its notifications holds nobody up, and gets the newest") {
  Manager manager;
  ServiceManager ours;
  ours.ready("0 queued");
  for (int i = 1; i <= 5000; ++i) ours.status(std::to_string(i));  // more than any socket keeps
  ours.alive();
  CHECK(manager.heard() == "READY=1\nSTATUS=0 queued");
  while (!manager.heard().empty()) {
  }
  ours.reloading();
  CHECK(manager.heard() == "STATUS=5000");
  CHECK(manager.heard().starts_with("RELOADING=1\n"));
}

TEST_CASE("system: a state that the manager could not take is sent before the next one") {
  Manager manager;
  ServiceManager ours;
  for (int i = 1; i <= 5000; ++i) ours.status(std::to_string(i));
  ours.stopping();
  while (!manager.heard().empty()) {
  }
  ours.alive();
  CHECK(manager.heard() == "STATUS=5000");
  CHECK(manager.heard() == "STOPPING=1\nSTATUS=stopping");
  CHECK(manager.heard() == "WATCHDOG=1");
}

TEST_CASE("system: without a service manager nothing is said") {
  CHECK_FALSE(ServiceManager::is_there());
  ServiceManager ours;
  ours.ready("0 queued");
  ours.alive();
}
