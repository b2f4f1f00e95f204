// SPDX-License-Identifier: MIT
#include "daemon/system/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::system {
namespace {

// More than a start, a reload and a stop have; of older ones nobody needs to know.
constexpr std::size_t kMostWaiting = 8;
constexpr std::string_view kStatus = "STATUS=";

// The manager compares it with its own reading of this very clock.
std::string monotonic_microseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::to_string(now.tv_sec * 1'000'000 + now.tv_nsec / 1'000);
}

// sd_notify() itself waits while the manager's queue of about ten notifications is full, and with it would the
// loop. Returns false in this case only.
bool try_send(const std::string& notification) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  const std::string_view name = path != nullptr ? path : "";
  sockaddr_un address{};
  const bool is_usable = name.starts_with('/') || name.starts_with('@');  // a file, or an abstract name
  if (!is_usable || name.size() >= sizeof address.sun_path) return true;
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path, name.size());
  if (name.front() == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const ssize_t sent = ::sendto(socket.get(), notification.data(), notification.size(), MSG_NOSIGNAL,
                                reinterpret_cast<const sockaddr*>(&address), length);
  return sent >= 0 || errno != EAGAIN;
}

}  // namespace

std::vector<Fd> inherited_sockets() {
  std::vector<Fd> sockets;
  const int count = ::sd_listen_fds(1);
  for (int i = 0; i < count; ++i) sockets.emplace_back(SD_LISTEN_FDS_START + i);
  return sockets;
}

void ServiceManager::ready(const std::string& status) {
  status_ = still_printable(status);
  send(cat("READY=1\n", kStatus, status_));
}

void ServiceManager::reloading() { send(cat("RELOADING=1\nMONOTONIC_USEC=", monotonic_microseconds())); }

void ServiceManager::stopping() { send("STOPPING=1\nSTATUS=stopping"); }

void ServiceManager::status(const std::string& line) {
  std::string text = still_printable(line);
  if (text == status_) return send_waiting();
  status_ = text;
  if (!waiting_.empty() && waiting_.back().starts_with(kStatus)) waiting_.pop_back();
  send(cat(kStatus, status_));
}

// Sent late, it would say nothing.
void ServiceManager::alive() {
  send_waiting();
  if (waiting_.empty()) try_send("WATCHDOG=1");
}

void ServiceManager::send(std::string notification) {
  waiting_.push_back(std::move(notification));
  if (waiting_.size() > kMostWaiting) waiting_.pop_front();
  send_waiting();
}

void ServiceManager::send_waiting() {
  while (!waiting_.empty() && try_send(waiting_.front())) waiting_.pop_front();
}

std::optional<Duration> ServiceManager::alive_interval() {
  std::uint64_t microseconds = 0;
  if (::sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
  return Duration(static_cast<Duration::rep>(microseconds / 2));
}

bool ServiceManager::is_there() { return std::getenv("NOTIFY_SOCKET") != nullptr; }

}  // namespace hikyaku::system
