// SPDX-License-Identifier: MIT
#include "daemon/system/sd_notify.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "daemon/base/fd.h"
#include "daemon/system/temporary_directory.h"

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

}  // namespace

TEST_CASE("app: the service manager is told of readiness, reload, stop and life") {
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

TEST_CASE("app: the status is told when it changes, as one printable line") {
  Manager manager;
  ServiceManager ours;
  ours.ready("0 queued");
  manager.heard();
  ours.status("0 queued");
  CHECK(manager.heard().empty());
  ours.status("1 queued; \"550 no\nREADY=1\"");
  CHECK(manager.heard() == "STATUS=1 queued; \"550 no\\x0aREADY=1\"");
}

TEST_CASE("app: the watchdog is fed at half its interval, and only if it is for this process") {
  Manager manager;
  CHECK_FALSE(ServiceManager::alive_interval());
  ::setenv("WATCHDOG_USEC", "3000000", 1);
  CHECK(ServiceManager::alive_interval() == Duration(1'500'000));
  ::setenv("WATCHDOG_PID", "1", 1);
  CHECK_FALSE(ServiceManager::alive_interval());
}

TEST_CASE("app: without a service manager nothing is said") {
  CHECK_FALSE(ServiceManager::is_there());
  ServiceManager ours;
  ours.ready("0 queued");
  ours.alive();
}
